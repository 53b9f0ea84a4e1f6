with

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}

),

match_weights as (

    select * from {{ ref('match_weights') }}

),

term_frequencies as (

    select * from {{ ref('match_term_frequencies') }}

),

levels as (

    select
        comparisons.student_identity_id,
        comparisons.other_identity_id,
        level.comparison,
        level.level,
        level.shared_name
    from comparisons
    cross join
        lateral (
            values
            ('last_name', comparisons.last_name, comparisons.shared_last_name),
            ('first_name', comparisons.first_name, comparisons.shared_first_name),
            ('middle_name', comparisons.middle_name, null),
            ('suffix', comparisons.suffix, null),
            ('birth_date', comparisons.birth_date, null),
            ('gender', comparisons.gender, null),
            ('ssn', comparisons.ssn, null),
            ('address', comparisons.address, null),
            ('state_id', comparisons.state_id, null)
        ) as level (comparison, level, shared_name)
    where level.level is not null

),

-- Agreement on a rare name says more than agreement on a common one. Whatever is not
-- among the frequencies is rarer than all of them.
evidence as (

    select
        levels.student_identity_id,
        levels.other_identity_id,
        levels.comparison,
        levels.level,
        {{ function('evidence_weight') }}(
            match_weights.m_probability,
            match_weights.u_probability,
            match_weights.term_frequency_weight,
            match_weights.term_frequency_u_probability,
            match_weights.term_frequency_minimum,
            coalesce(
                term_frequencies.frequency, match_weights.term_frequency_minimum
            ),
            null
        ) as weight
    from levels
    inner join match_weights
        on
            levels.comparison = match_weights.comparison
            and levels.level = match_weights.level
    left join term_frequencies
        on
            levels.comparison = term_frequencies.comparison
            and levels.shared_name = term_frequencies.term

)

select * from evidence
