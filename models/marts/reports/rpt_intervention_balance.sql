with

effects as (

    select * from {{ ref('rpt_intervention_effects') }}

),

matches as (

    select * from {{ ref('int_intervention_matches') }}

),

student_years as (

    select * from {{ ref('fct_student_years') }}

),

-- Only students who could have been matched; others have no covariates.
eligible as (

    select * from matches
    where match_status in ('matched', 'no_counterpart')

),

covariates as (

    select
        eligible.intervention_code,
        eligible.school_year,
        eligible.measure,
        eligible.is_participant,
        eligible.weight,
        covariates.covariate,
        covariates.value
    from eligible
    inner join student_years as after_years using (student_key, school_year)
    inner join student_years as before_years
        on
            eligible.student_key = before_years.student_key
            and eligible.school_year - 1 = before_years.school_year
    cross join
        lateral (
            values
            ('measure_before', eligible.before_value),
            ('prior_attendance_rate', before_years.attendance_rate),
            ('prior_suspension_days', before_years.suspension_days),
            ('grade', after_years.grade),
            ('is_involved_prior_year', after_years.involved_prior_year::int),
            (
                'has_free_lunch',
                (nullif(after_years.economic_status, 'disadvantaged') = 'free')::int
            ),
            ('is_special_education', (after_years.special_education = 'current')::int),
            ('is_english_learner', after_years.is_english_learner::int),
            ('is_female', (after_years.gender = 'female')::int),
            ('is_black', (after_years.race = 3)::int)
        ) as covariates (covariate, value)
    where covariates.value is not null

),

-- Exact sums, because those of floating-point numbers depend on the order of rows.
groups as (

    select
        intervention_code,
        school_year,
        measure,
        covariate,
        is_participant,
        avg(value) as mean_before,
        coalesce(var_samp(value), 0) as variance_before,
        sum(weight * value) / nullif(sum(weight), 0) as mean_after
    from covariates
    group by intervention_code, school_year, measure, covariate, is_participant

),

compared as (

    select
        participants.intervention_code,
        participants.school_year,
        participants.measure,
        participants.covariate,
        participants.mean_before as participants_before,
        comparison.mean_before as comparison_before,
        participants.mean_after as participants_after,
        comparison.mean_after as comparison_after,
        nullif(
            sqrt((participants.variance_before + comparison.variance_before) / 2), 0
        ) as standard_deviation
    from groups as participants
    inner join groups as comparison
        using (intervention_code, school_year, measure, covariate)
    where participants.is_participant and not comparison.is_participant

),

intervention_balance as (

    select
        compared.intervention_code,
        compared.school_year,
        effects.known_through,
        effects.is_complete_year,
        compared.measure,
        effects.measure_label,
        compared.covariate,
        compared.participants_before::float8 as participants_before,
        compared.comparison_before::float8 as comparison_before,
        (
            (compared.participants_before - compared.comparison_before)
            / compared.standard_deviation
        )::float8 as standardized_difference_before,
        compared.participants_after::float8 as participants_after,
        compared.comparison_after::float8 as comparison_after,
        (
            (compared.participants_after - compared.comparison_after)
            / compared.standard_deviation
        )::float8 as standardized_difference_after
    from compared
    inner join effects using (intervention_code, school_year, measure)

)

select * from intervention_balance
