select distinct intervention_code as value, intervention_name as label
from rpt_intervention_effects
order by label
