-- Which rows are hidden for their own counts. Rows are told apart by seven columns; the
-- planner multiplies their odds until it expects one row, to be looked for in a loop.
{{ config(pre_hook='set local enable_nestloop = off') }}

with

counts as (

    select * from {{ ref('int_gap_counts') }}

),

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

),

hidden_before as (

    select * from {{ ref('stg_hidden_counts') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

-- A row that was hidden, and is not much different now, would give away what it hid.
remembered as (

    select
        counts.school_year,
        counts.district_id,
        counts.group_type,
        counts.group_value,
        counts.program_group,
        counts.involvement,
        counts.measure,
        hidden_before.n_involved as n_involved_before,
        hidden_before.x_involved as x_involved_before
    from counts
    cross join suppression
    inner join hidden_before
        on
            counts.school_year = hidden_before.school_year
            and counts.district_id = hidden_before.district_id
            and counts.group_type = hidden_before.group_type
            and counts.group_value = hidden_before.group_value
            and counts.program_group = hidden_before.program_group
            and counts.involvement = hidden_before.involvement
            and counts.measure = hidden_before.measure
    where
        abs(counts.x_involved - hidden_before.x_involved)
        < suppression.smallest_published_count
        or (
            counts.is_share
            and abs(
                (counts.n_involved - counts.x_involved)
                - (hidden_before.n_involved - hidden_before.x_involved)
            ) < suppression.smallest_published_count
        )

),

-- A share of 0 is hidden, too: shown or coded as 5 % or less it would be known to be 0,
-- because 1 to 10 are hidden.
flagged as (

    select
        counts.*,
        (
            counts.n_involved > 0
            and counts.n_involved < suppression.smallest_published_count
        )
        or (
            counts.n > counts.n_involved
            and counts.n - counts.n_involved < suppression.smallest_published_count
        ) as is_small,
        counts.is_share
        and (
            (
                counts.n_involved > 0
                and least(counts.x_involved, counts.n_involved - counts.x_involved)
                < suppression.smallest_published_count
            )
            or (
                counts.n > counts.n_involved
                and least(
                    counts.x - counts.x_involved,
                    counts.n - counts.n_involved - counts.x + counts.x_involved
                ) < suppression.smallest_published_count
            )
        ) as is_small_numerator,
        counts.n > 0 and counts.n < suppression.smallest_published_count
        or (
            counts.is_share
            and counts.n > 0
            and least(counts.x, counts.n - counts.x)
            < suppression.smallest_published_count
        ) as is_small_total,
        counts.is_share
        and (
            counts.x_involved < suppression.lowest_published_share * counts.n_involved
            or counts.x_involved
            > suppression.highest_published_share * counts.n_involved
        ) as is_end_involved,
        counts.is_share
        and (
            counts.x - counts.x_involved
            < suppression.lowest_published_share * (counts.n - counts.n_involved)
            or counts.x - counts.x_involved
            > suppression.highest_published_share * (counts.n - counts.n_involved)
        ) as is_end_not_involved
    from counts
    cross join suppression

),

-- Whoever is involved by one definition, or in one program, is so by the wider one, or
-- in any: their counts bound each other.
nested as (

    select
        federal.school_year,
        federal.district_id,
        federal.group_type,
        federal.group_value,
        federal.program_group,
        federal.involvement,
        federal.n,
        federal.x,
        federal.n_involved,
        min(wider.x_involved) as x_most,
        min(wider.n_involved - wider.x_involved) as y_most,
        max(narrower.x_involved) as x_least,
        max(narrower.n_involved - narrower.x_involved) as y_least
    from flagged as federal
    left join flagged as wider
        on
            federal.school_year = wider.school_year
            and federal.district_id = wider.district_id
            and federal.group_type = wider.group_type
            and federal.group_value = wider.group_value
            and federal.measure = wider.measure
            and not wider.is_small
            and not wider.is_small_numerator
            and (
                (
                    federal.program_group = wider.program_group
                    and federal.involvement <> 'ever'
                    and wider.involvement = 'ever'
                )
                or (
                    federal.involvement = wider.involvement
                    and federal.program_group <> 'any'
                    and wider.program_group = 'any'
                )
            )
    left join flagged as narrower
        on
            federal.school_year = narrower.school_year
            and federal.district_id = narrower.district_id
            and federal.group_type = narrower.group_type
            and federal.group_value = narrower.group_value
            and federal.measure = narrower.measure
            and not narrower.is_small
            and not narrower.is_small_numerator
            and (
                (
                    federal.program_group = narrower.program_group
                    and federal.involvement = 'ever'
                    and narrower.involvement <> 'ever'
                )
                or (
                    federal.involvement = narrower.involvement
                    and federal.program_group = 'any'
                    and narrower.program_group <> 'any'
                )
            )
    where
        federal.measure = 'is_chronically_absent_federal'
        and federal.is_small_numerator
    group by
        federal.school_year,
        federal.district_id,
        federal.group_type,
        federal.group_value,
        federal.program_group,
        federal.involvement,
        federal.n,
        federal.x,
        federal.n_involved

),

-- Whoever is chronically absent misses a tenth of the days or more, all others less: a
-- mean rate bounds how many are. It is hidden where it leaves too few possibilities for
-- a hidden numerator of the same students.
bounded as (

    select
        nested.school_year,
        nested.district_id,
        nested.group_type,
        nested.group_value,
        nested.program_group,
        nested.involvement,
        least(
            nested.x_most,
            nested.n_involved - nested.y_least,
            nested.x,
            nested.n_involved,
            floor(10 * nested.n_involved * (1 - gaps.value_involved)),
            nested.x - ceil(
                (0.9 - gaps.value_not_involved)
                * (nested.n - nested.n_involved)
                / 0.9
            )
        )
        - greatest(
            nested.x_least,
            nested.n_involved - nested.y_most,
            nested.n_involved - nested.n + nested.x,
            0,
            ceil((0.9 - gaps.value_involved) * nested.n_involved / 0.9),
            nested.x - floor(
                10
                * (nested.n - nested.n_involved)
                * (1 - gaps.value_not_involved)
            )
        )
        < suppression.smallest_published_count as tells_too_much
    from nested
    inner join gaps
        on
            nested.school_year = gaps.school_year
            and nested.district_id = gaps.district_id
            and nested.group_type = gaps.group_type
            and nested.group_value = gaps.group_value
            and nested.program_group = gaps.program_group
            and nested.involvement = gaps.involvement
            and gaps.measure = 'attendance_rate'
    cross join suppression

),

-- Some measures count nearly the same students: those of absence everybody with a day
-- enrolled, or all but few; at a high school the Promise everybody with a grade-point
-- average. A number that is small in one of them is small in all, and so is a numerator
-- of the two shares of absence. Those whom the Promise leaves out are a count, too.
related as (

    select
        flagged.school_year,
        flagged.district_id,
        flagged.group_type,
        flagged.group_value,
        flagged.program_group,
        flagged.involvement,
        flagged.measure,
        bool_or(other.is_small) as is_small,
        bool_or(flagged.is_share and other.is_small_numerator)
            as is_small_numerator,
        bool_or(
            other.n < suppression.smallest_published_count
            or (flagged.is_share and other.is_small_total)
            or (
                flagged.measure = 'promise_on_track_or_eligible'
                and other.n > flagged.n
            )
        ) as is_small_total
    from flagged
    inner join flagged as other
        on
            flagged.school_year = other.school_year
            and flagged.district_id = other.district_id
            and flagged.group_type = other.group_type
            and flagged.group_value = other.group_value
            and flagged.program_group = other.program_group
            and flagged.involvement = other.involvement
    inner join suppression
        on
            flagged.measure = other.measure
            or (
                flagged.measure in (
                    'attendance_rate',
                    'is_chronically_absent_federal',
                    'is_chronically_absent_pde'
                )
                and other.measure in (
                    'attendance_rate',
                    'is_chronically_absent_federal',
                    'is_chronically_absent_pde'
                )
            )
            or (
                flagged.measure in ('gpa', 'promise_on_track_or_eligible')
                and other.measure in ('gpa', 'promise_on_track_or_eligible')
                and abs(flagged.n - other.n) < suppression.smallest_published_count
            )
    group by
        flagged.school_year,
        flagged.district_id,
        flagged.group_type,
        flagged.group_value,
        flagged.program_group,
        flagged.involvement,
        flagged.measure

),

gap_primary_suppression as (

    select
        flagged.school_year,
        flagged.district_id,
        flagged.group_type,
        flagged.group_value,
        flagged.program_group,
        flagged.involvement,
        flagged.measure,
        flagged.is_share,
        flagged.n,
        flagged.x,
        flagged.n_involved,
        flagged.x_involved,
        flagged.is_published,
        flagged.is_end_involved,
        flagged.is_end_not_involved,
        related.is_small,
        related.is_small_total,
        flagged.is_small or flagged.is_small_numerator as is_small_itself,
        related.is_small
        or related.is_small_numerator
        or coalesce(bounded.tells_too_much, false) as is_primary,
        remembered.school_year is not null as is_remembered,
        remembered.n_involved_before,
        remembered.x_involved_before
    from flagged
    left join remembered
        on
            flagged.school_year = remembered.school_year
            and flagged.district_id = remembered.district_id
            and flagged.group_type = remembered.group_type
            and flagged.group_value = remembered.group_value
            and flagged.program_group = remembered.program_group
            and flagged.involvement = remembered.involvement
            and flagged.measure = remembered.measure
    inner join related
        on
            flagged.school_year = related.school_year
            and flagged.district_id = related.district_id
            and flagged.group_type = related.group_type
            and flagged.group_value = related.group_value
            and flagged.program_group = related.program_group
            and flagged.involvement = related.involvement
            and flagged.measure = related.measure
    left join bounded
        on
            flagged.measure = 'attendance_rate'
            and flagged.school_year = bounded.school_year
            and flagged.district_id = bounded.district_id
            and flagged.group_type = bounded.group_type
            and flagged.group_value = bounded.group_value
            and flagged.program_group = bounded.program_group
            and flagged.involvement = bounded.involvement

)

select * from gap_primary_suppression
