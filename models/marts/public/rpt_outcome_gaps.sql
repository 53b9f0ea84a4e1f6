with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

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
        end || array[gaps.n_involved, gaps.n_not_involved]::numeric[] as disclosed
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
        ) as is_suppressed
    from counts
    cross join suppression

),

outcome_gaps as (

    select
        school_year,
        district_id,
        program_group,
        involvement,
        measure,
        case when not is_suppressed then n_involved end as n_involved,
        case when not is_suppressed then n_not_involved end as n_not_involved,
        case when not is_suppressed then value_involved::float8 end as value_involved,
        case
            when not is_suppressed then value_not_involved::float8
        end as value_not_involved,
        case when not is_suppressed then gap::float8 end as gap,
        case when not is_suppressed then ci_low end as ci_low,
        case when not is_suppressed then ci_high end as ci_high,
        is_suppressed
    from flagged

)

select * from outcome_gaps
