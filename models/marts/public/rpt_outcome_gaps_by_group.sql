with

outcome_measures as (

    select * from {{ ref('outcome_measures') }}

),

program_groups as (

    select * from {{ ref('program_groups') }}

),

codes as (

    select * from {{ ref('codes') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

gaps as (

    select * from {{ ref('int_outcome_gaps_perturbed') }}
    where group_type <> 'all'

),

outcome_gaps_by_group as (

    select
        gaps.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        gaps.district_id,
        gaps.group_type,
        gaps.group_value,
        coalesce(codes.label, gaps.group_value) as group_label,
        gaps.program_group,
        coalesce(program_groups.program_group_label, 'Any program')
            as program_group_label,
        gaps.involvement,
        gaps.measure,
        outcome_measures.measure_label,
        gaps.n_involved,
        gaps.n_not_involved,
        gaps.value_involved,
        gaps.value_not_involved,
        gaps.gap,
        gaps.ci_low,
        gaps.ci_high,
        gaps.adjusted_gap,
        gaps.adjusted_coverage,
        gaps.is_coded,
        gaps.is_suppressed
    from gaps
    inner join outcome_measures on gaps.measure = outcome_measures.measure
    left join program_groups on gaps.program_group = program_groups.program_group
    left join codes
        on gaps.group_type = codes.domain and gaps.group_value = codes.code
    left join district_years
        on
            gaps.district_id = district_years.district_id
            and gaps.school_year = district_years.school_year

)

select * from outcome_gaps_by_group
