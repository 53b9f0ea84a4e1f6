-- The measure that the public report leads with comes first.
select measure as value, measure_label as label
from outcome_measures
where measure in (select measure from rpt_outcome_gaps)
order by finding is null, position
