with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}
    where group_type <> 'all'

),

outcome_gaps_by_group as (

    select
        school_year,
        district_id,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
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

)

select * from outcome_gaps_by_group
