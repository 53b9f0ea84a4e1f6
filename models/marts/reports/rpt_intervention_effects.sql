with

outcome_measures as (

    select * from {{ ref('outcome_measures') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

matches as (

    select * from {{ ref('int_intervention_matches') }}

),

intervention_spells as (

    select * from {{ ref('fct_intervention_spells') }}

),

evaluation_rules as (

    select * from {{ ref('intervention_evaluation_rules') }}

),

reporting_rules as (

    select * from {{ ref('reporting_rules') }}

),

intervention_names as (

    select
        intervention_code,
        max(intervention_name) as intervention_name
    from intervention_spells
    group by intervention_code

),

counts as (

    select
        intervention_code,
        school_year,
        measure,
        (count(*) filter (where is_participant))::integer as n_participants,
        {% for missing in ['student_year', 'prior_year', 'measure', 'counterpart'] %}
        (
            count(*) filter (where is_participant and match_status = 'no_{{ missing }}')
        )::integer as n_without_{{ missing }},
        {% endfor %}
        (
            count(*) filter (where is_participant and match_status = 'matched')
        )::integer as n_matched,
        (
            count(*) filter (where not is_participant and match_status = 'matched')
        )::integer as n_comparison,
        (
            count(distinct school_key) filter (where match_status = 'matched')
        )::integer as n_schools
    from matches
    group by intervention_code, school_year, measure

),

-- A year is known as far as it is in all the participants' districts.
known_years as (

    select
        matches.intervention_code,
        matches.school_year,
        min(district_years.known_through) as known_through,
        bool_and(district_years.is_complete_year) as is_complete_year
    from matches
    inner join district_years using (district_id, school_year)
    where matches.is_participant
    group by matches.intervention_code, matches.school_year

),

matched as (

    select
        matches.*,
        after_value - before_value as change
    from matches
    where match_status = 'matched'

),

-- Exact sums, because those of floating-point numbers depend on the order of rows.
means as (

    select
        intervention_code,
        school_year,
        measure,
        is_participant,
        sum(weight) as total_weight,
        sum(weight * before_value) / sum(weight) as before_mean,
        sum(weight * after_value) / sum(weight) as after_mean,
        sum(weight * change) / sum(weight) as change_mean
    from matched
    group by intervention_code, school_year, measure, is_participant

),

effects as (

    select
        participants.intervention_code,
        participants.school_year,
        participants.measure,
        participants.before_mean as before_participants,
        participants.after_mean as after_participants,
        comparison.before_mean as before_comparison,
        comparison.after_mean as after_comparison,
        participants.change_mean - comparison.change_mean as effect
    from means as participants
    inner join means as comparison using (intervention_code, school_year, measure)
    where participants.is_participant and not comparison.is_participant

),

-- Contribution of each school's students to the error of the difference in means.
school_scores as (

    select
        matched.intervention_code,
        matched.school_year,
        matched.measure,
        matched.school_key,
        sum(
            case when matched.is_participant then 1 else -1 end
            * matched.weight * (matched.change - means.change_mean)
            / means.total_weight
        ) as score
    from matched
    inner join means using (intervention_code, school_year, measure, is_participant)
    group by
        matched.intervention_code,
        matched.school_year,
        matched.measure,
        matched.school_key

),

-- CR1: G / (G − 1) schools, (N − 1) / (N − 2) students, for two estimated means.
standard_errors as (

    select
        counts.intervention_code,
        counts.school_year,
        counts.measure,
        sqrt(
            nullif(sum(school_scores.score * school_scores.score), 0)
            * counts.n_schools / (counts.n_schools - 1)
            * (counts.n_matched + counts.n_comparison - 1)
            / (counts.n_matched + counts.n_comparison - 2)
        )::float8 as standard_error,
        {{ function('student_t_quantile') }}(counts.n_schools - 1) as t_quantile
    from counts
    inner join school_scores using (intervention_code, school_year, measure)
    cross join evaluation_rules
    where
        counts.n_schools >= evaluation_rules.smallest_number_of_schools
        and counts.n_matched + counts.n_comparison > 2
        and {{ in_force('evaluation_rules', 'counts.school_year') }}
    group by
        counts.intervention_code,
        counts.school_year,
        counts.measure,
        counts.n_matched,
        counts.n_comparison,
        counts.n_schools

),

intervention_effects as (

    select
        counts.intervention_code,
        intervention_names.intervention_name,
        counts.school_year,
        known_years.known_through,
        known_years.is_complete_year,
        counts.measure,
        outcome_measures.measure_label,
        counts.n_participants,
        counts.n_matched,
        counts.n_without_student_year,
        counts.n_without_prior_year,
        counts.n_without_measure,
        counts.n_without_counterpart,
        counts.n_comparison,
        counts.n_schools,
        effects.before_participants::float8 as before_participants,
        effects.after_participants::float8 as after_participants,
        effects.before_comparison::float8 as before_comparison,
        effects.after_comparison::float8 as after_comparison,
        effects.effect::float8 as effect,
        case
            when counts.n_matched = 0 then 'no_match'
            when
                least(counts.n_matched, counts.n_comparison)
                < rules.smallest_number_of_students
                then 'too_few_students'
            when standard_errors.standard_error is null then 'no_interval'
        end as limitation,
        standard_errors.standard_error,
        effects.effect::float8
        - standard_errors.t_quantile * standard_errors.standard_error as ci_low,
        effects.effect::float8
        + standard_errors.t_quantile * standard_errors.standard_error as ci_high
    from counts
    inner join intervention_names using (intervention_code)
    cross join reporting_rules as rules
    left join known_years using (intervention_code, school_year)
    left join effects using (intervention_code, school_year, measure)
    left join standard_errors using (intervention_code, school_year, measure)
    left join outcome_measures using (measure)

)

select * from intervention_effects
