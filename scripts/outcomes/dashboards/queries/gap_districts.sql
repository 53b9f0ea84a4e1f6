select
    district_id as value,
    district_name as label,
    district_id in (select district_id from rpt_outcome_gaps) as is_public
from dim_districts
order by district_name
