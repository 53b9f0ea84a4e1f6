select
    coalesce(%(names)s ->> partner_id, partner_id) as partner,
    grade,
    count(*) as deliveries
from delivery_scorecards
group by 1, 2
order by 1, 2
