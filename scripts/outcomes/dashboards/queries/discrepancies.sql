select
    upper(rule_id) as rule,
    (school_year - 1) || '–' || right(school_year::text, 2)
    || case when bool_and(is_complete_year) then '' else ' so far' end as year,
    count(*) as students
from rpt_discrepancy_cohort
group by rule_id, school_year
order by rule_id, school_year
