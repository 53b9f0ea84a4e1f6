-- An effect of too few students is no figure.
select
    effects.intervention_name || ' (' || effects.intervention_code || ')' as intervention,
    years.year,
    effects.measure_label as measure,
    effects.measure_label || ', ' || effects.intervention_code || ' ' || years.year as label,
    outcome_measures.gap_unit,
    case when not is_small then effect * display_factor end as effect_drawn,
    ci_low * display_factor as low,
    ci_high * display_factor as high,
    n_participants as participants,
    n_matched as matched,
    n_comparison as comparison,
    case
        when is_small then 'not shown'
        else to_char(shown_effect, 'FMSG990.00') || ' ' || outcome_measures.gap_unit
    end as effect,
    coalesce(
        to_char(shown_low, 'FMSG990.00') || ' to ' || to_char(shown_high, 'FMSG990.00'),
        'none'
    ) as "95 %% interval",
    case when higher_is_better then 'more' else 'less' end as better_is,
    case limitation
        when 'no_interval' then 'too few schools for an interval'
        when 'no_match' then 'nobody matched'
        when 'too_few_students' then 'too few students matched'
        else 'none'
    end as limitation
from rpt_intervention_effects as effects
cross join lateral (
    select coalesce(limitation in ('no_match', 'too_few_students'), false) as is_small
) as small
cross join lateral (
    select
        (effects.school_year - 1) || '–' || right(effects.school_year::text, 2)
        || case when effects.is_complete_year then '' else ' so far' end as year
) as years
inner join outcome_measures using (measure)
-- A format would write a little less than zero as -0.00.
cross join lateral (
    select
        round((effect * display_factor)::numeric, 2) as shown_effect,
        round((ci_low * display_factor)::numeric, 2) as shown_low,
        round((ci_high * display_factor)::numeric, 2) as shown_high
) as rounded
where %(intervention)s in ('all', effects.intervention_code)
order by is_small, 1, 2, outcome_measures.position
