select district_id as value, district_name as label
from dim_districts
where district_id in (select district_id from rpt_outcome_gaps)
order by district_name
