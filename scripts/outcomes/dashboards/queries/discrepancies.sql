select
    upper(rule_id) as rule,
    school_year::text as year,
    count(*) as students
from rpt_discrepancy_cohort
group by 1, 2
order by 1, 2
