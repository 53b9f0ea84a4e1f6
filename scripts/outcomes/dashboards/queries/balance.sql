select
    names.intervention_name || ' (' || intervention_code || ')' as intervention,
    balance.school_year::text as year,
    balance.measure_label as measure,
    initcap(replace(regexp_replace(balance.covariate, '^is_', ''), '_', ' ')) as covariate,
    coalesce(to_char(balance.standardized_difference_before, 'FMSG90.00'), 'no spread')
        as difference_before,
    coalesce(to_char(balance.standardized_difference_after, 'FMSG90.00'), 'no spread')
        as difference_after,
    case
        when abs(balance.standardized_difference_after) > 0.1 then 'differ'
        when balance.standardized_difference_after is null then 'cannot be compared'
        else 'alike'
    end as after_matching
from rpt_intervention_balance as balance
inner join (
    select distinct intervention_code, intervention_name from rpt_intervention_effects
) as names using (intervention_code)
where %(intervention)s in ('all', intervention_code)
order by abs(balance.standardized_difference_after) desc nulls last, 1, 2, 3, 4
