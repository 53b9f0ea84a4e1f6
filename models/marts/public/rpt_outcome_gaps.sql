with

gaps as (

    select * from {{ ref('int_outcome_gaps_perturbed') }}
    where group_type = 'all'

),

outcome_gaps as (

    select
        school_year,
        district_id,
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
        is_coded,
        is_suppressed
    from gaps

)

select * from outcome_gaps
