with

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}

),

match_weights as (

    select * from {{ ref('match_weights') }}

),

name_frequencies as (

    select * from {{ ref('int_identity_name_frequencies') }}

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

-- Agreement on a rare name says more than agreement on a common one.
evidence as (

    select
        levels.student_identity_id,
        levels.other_identity_id,
        levels.comparison,
        levels.level,
        ln(match_weights.m_probability / match_weights.u_probability) / ln(2)
        + case
            when
                match_weights.term_frequency_weight > 0
                and name_frequencies.frequency > 0
                then
                    match_weights.term_frequency_weight
                    * ln(
                        match_weights.u_probability
                        / greatest(
                            name_frequencies.frequency,
                            match_weights.term_frequency_minimum
                        )
                    )
                    / ln(2)
            else 0
        end as weight
    from levels
    inner join match_weights
        on
            levels.comparison = match_weights.comparison
            and levels.level = match_weights.level
    left join name_frequencies
        on
            levels.comparison = name_frequencies.comparison
            and levels.shared_name = name_frequencies.name

)

select * from evidence
