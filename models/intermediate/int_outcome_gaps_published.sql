-- Where it is decided which gaps are published, and which of them are hidden.
with

-- Groups of students stand for themselves: they are not crossed with program groups.
gaps as (

    select * from {{ ref('int_outcome_gaps') }}
    where group_type = 'all' or program_group = 'any'

),

suppression as (

    select * from {{ ref('suppression') }}

),

-- A share discloses its numerator and what is left of its denominator.
counts as (

    select
        gaps.*,
        case
            when gaps.measure not in ('attendance_rate', 'gpa')
                then
                    array[
                        gaps.n_involved * gaps.value_involved,
                        gaps.n_involved * (1 - gaps.value_involved),
                        gaps.n_not_involved * gaps.value_not_involved,
                        gaps.n_not_involved * (1 - gaps.value_not_involved)
                    ]
            else '{}'
        end || array[gaps.n_involved, gaps.n_not_involved]::float8[] as disclosed
    from gaps

),

flagged as (

    select
        counts.*,
        exists(
            select
            from unnest(counts.disclosed) as cells (n)
            where
                round(cells.n) > 0
                and round(cells.n) < suppression.smallest_published_count
        ) as is_suppressed,
        -- The coverage tells how many students the adjusted gap leaves out.
        counts.n_involved + counts.n_not_involved - counts.n_adjusted > 0
        and counts.n_involved + counts.n_not_involved - counts.n_adjusted
        < suppression.smallest_published_count as is_small_remainder
    from counts
    cross join suppression

),

published as (

    select
        school_year,
        district_id,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
        case when not is_suppressed then n_involved end as n_involved,
        case when not is_suppressed then n_not_involved end as n_not_involved,
        case when not is_suppressed then value_involved end as value_involved,
        case when not is_suppressed then value_not_involved end as value_not_involved,
        case when not is_suppressed then gap end as gap,
        case when not is_suppressed then ci_low end as ci_low,
        case when not is_suppressed then ci_high end as ci_high,
        case when not is_suppressed then adjusted_gap end as adjusted_gap,
        case
            when not is_suppressed and not is_small_remainder then adjusted_coverage
        end as adjusted_coverage,
        is_suppressed
    from flagged

)

select * from published
