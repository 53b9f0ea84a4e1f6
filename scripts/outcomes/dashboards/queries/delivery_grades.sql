select
    coalesce(district_name, partner_id) as partner,
    grade,
    count(*) as deliveries
from delivery_scorecards
left join dim_districts on partner_id = district_id
group by 1, 2
order by 1, 2
