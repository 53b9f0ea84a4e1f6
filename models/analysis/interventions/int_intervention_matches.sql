with

candidates as (

    select * from {{ ref('int_intervention_candidates') }}

),

measures as (

    select * from {{ ref('int_student_year_measures') }}

),

measure_names as (

    select distinct measure from measures

),

candidate_values as (

    select
        candidates.intervention_code,
        candidates.school_year,
        measure_names.measure,
        candidates.student_key,
        candidates.is_participant,
        candidates.has_student_year,
        candidates.district_id,
        candidates.school_key,
        candidates.stratum,
        before_values.value as before_value,
        after_values.value as after_value,
        candidates.stratum is not null
        and before_values.value is not null
        and after_values.value is not null as is_eligible
    from candidates
    cross join measure_names
    left join measures as before_values
        on
            candidates.student_key = before_values.student_key
            and candidates.school_year - 1 = before_values.school_year
            and measure_names.measure = before_values.measure
    left join measures as after_values
        on
            candidates.student_key = after_values.student_key
            and candidates.school_year = after_values.school_year
            and measure_names.measure = after_values.measure

),

-- Only participants are counted by the reason why they are not matched.
measured as (

    select * from candidate_values
    where is_participant or is_eligible

),

-- Strata differ by measure, because not every student has every measure.
strata as (

    select
        intervention_code,
        school_year,
        measure,
        stratum,
        count(*) filter (where is_participant) as n_participants,
        count(*) filter (where not is_participant) as n_comparison
    from measured
    where is_eligible
    group by intervention_code, school_year, measure, stratum
    having bool_or(is_participant) and not bool_and(is_participant)

),

totals as (

    select
        intervention_code,
        school_year,
        measure,
        sum(n_participants) as n_participants,
        sum(n_comparison) as n_comparison
    from strata
    group by intervention_code, school_year, measure

),

-- A participant has weight 1. Comparison students share the weight of their stratum's
-- participants, scaled to add up to their own number (Iacus, King, Porro).
matches as (

    select
        measured.intervention_code,
        measured.school_year,
        measured.measure,
        measured.student_key,
        measured.is_participant,
        measured.district_id,
        measured.school_key,
        measured.stratum,
        measured.before_value,
        measured.after_value,
        case
            when strata.stratum is not null then 'matched'
            when not measured.has_student_year then 'no_student_year'
            when measured.stratum is null then 'no_prior_year'
            when not measured.is_eligible then 'no_measure'
            else 'no_counterpart'
        end as match_status,
        case
            when strata.stratum is null then 0
            when measured.is_participant then 1
            else
                strata.n_participants * totals.n_comparison::numeric
                / (strata.n_comparison * totals.n_participants)
        end as weight
    from measured
    left join strata
        on
            measured.is_eligible
            and measured.intervention_code = strata.intervention_code
            and measured.school_year = strata.school_year
            and measured.measure = strata.measure
            and measured.stratum = strata.stratum
    left join totals
        on
            measured.intervention_code = totals.intervention_code
            and measured.school_year = totals.school_year
            and measured.measure = totals.measure

)

select * from matches
