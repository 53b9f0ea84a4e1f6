-- How the gaps are published: a row that shows a small count is suppressed.
with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

-- A share times its number of students is a count, and so is the rest of them.
counted as (

    select
        gaps.*,
        array[
            n_involved,
            n_not_involved,
            round(n_involved * value_involved),
            round(n_involved * (1 - value_involved)),
            round(n_not_involved * value_not_involved),
            round(n_not_involved * (1 - value_not_involved))
        ] as counts
    from gaps
    -- Groups are published for any program only.
    where group_type = 'all' or program_group = 'any'

),

decided as (

    select
        counted.*,
        least(counted.n_involved, counted.n_not_involved)
        < suppression.smallest_published_count
        or (
            counted.measure not in ('attendance_rate', 'gpa')
            and suppression.smallest_published_count > any(counted.counts)
        ) as is_suppressed,
        -- The coverage tells how many students the adjusted gap leaves out.
        counted.n_involved + counted.n_not_involved - counted.n_adjusted
        between 1 and suppression.smallest_published_count - 1 as is_small_remainder
    from counted
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
        case when not (is_suppressed or is_small_remainder) then adjusted_coverage end
            as adjusted_coverage,
        false as is_coded,
        is_suppressed
    from decided

)

select * from published
