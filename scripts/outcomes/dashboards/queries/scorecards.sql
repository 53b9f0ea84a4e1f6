-- The newest delivery of each partner.
select distinct on (partner)
    coalesce(%(names)s ->> partner_id, partner_id) as partner,
    as_of_date as delivery,
    grade,
    worst as what_is_worst,
    files_loaded as files_taken,
    files_missing,
    rows_loaded as rows_taken,
    rows_rejected,
    coalesce(days_late::text, 'no day agreed') as days_late
from delivery_scorecards
order by partner, as_of_date desc
