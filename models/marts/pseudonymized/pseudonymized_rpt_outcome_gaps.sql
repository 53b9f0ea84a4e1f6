with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

),

outcome_gaps as (

    select
        school_year,
        known_through,
        is_complete_year,
        district_id,
        program_group,
        program_group_label,
        involvement,
        measure,
        measure_label,
        n_involved,
        n_not_involved,
        value_involved,
        value_not_involved,
        gap,
        ci_low,
        ci_high,
        adjusted_gap,
        adjusted_coverage,
        false as is_coded,
        false as is_suppressed
    from gaps
    where group_type = 'all'

)

select * from outcome_gaps
