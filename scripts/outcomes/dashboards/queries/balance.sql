-- Only for effects that are shown: the balance of a handful of students is chance.
-- Rounded, because a format would write a little less than zero as -0.00.
select
    effects.intervention_name || ' (' || effects.intervention_code || ')' as intervention,
    (effects.school_year - 1) || '–' || right(effects.school_year::text, 2)
    || case when effects.is_complete_year then '' else ' so far' end as year,
    effects.measure_label as measure,
    initcap(replace(regexp_replace(balance.covariate, '^is_', ''), '_', ' ')) as covariate,
    coalesce(
        to_char(round(balance.standardized_difference_before::numeric, 2), 'FMSG90.00'), 'no spread'
    ) as difference_before,
    coalesce(
        to_char(round(balance.standardized_difference_after::numeric, 2), 'FMSG90.00'), 'no spread'
    ) as difference_after,
    case
        when abs(balance.standardized_difference_after) > 0.1 then 'differ'
        when balance.standardized_difference_after is null then 'cannot be compared'
        else 'alike'
    end as after_matching
from rpt_intervention_balance as balance
inner join rpt_intervention_effects as effects
    using (intervention_code, school_year, measure)
where
    %(intervention)s in ('all', intervention_code)
    and coalesce(effects.limitation not in ('no_match', 'too_few_students'), true)
order by abs(balance.standardized_difference_after) desc nulls last, 1, 2, 3, 4
