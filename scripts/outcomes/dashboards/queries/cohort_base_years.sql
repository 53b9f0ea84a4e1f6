select distinct
    base_year::text as value,
    (base_year - 1) || '–' || right(base_year::text, 2) as label
from rpt_cohort_trajectories
order by value
