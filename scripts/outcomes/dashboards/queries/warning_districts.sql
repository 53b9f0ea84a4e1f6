select distinct warnings.district_id as value, districts.district_name as label
from rpt_early_warnings as warnings
inner join dim_districts as districts on warnings.district_id = districts.district_id
order by label
