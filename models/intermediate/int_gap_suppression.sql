-- Which rows are hidden, for their own counts, another row's or an earlier week's.
with

counts as (

    select * from {{ ref('int_gap_primary_suppression') }}
    where is_published

),

families as (

    select * from {{ ref('int_gap_families') }}
    where is_published

),

complements as (

    select * from {{ ref('int_gap_complements') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

within_families as (

    select
        families.school_year,
        families.district_id,
        families.group_type,
        families.group_value,
        families.program_group,
        families.involvement,
        families.measure,
        families.place <= complements.n_hidden as is_needed,
        not families.is_closed and not complements.has_small as may_be_coded,
        complements.has_small
    from families
    inner join complements
        on
            families.school_year = complements.school_year
            and families.parent_id = complements.parent_id
            and families.group_type = complements.group_type
            and families.measure = complements.measure
            and families.program_group = complements.program_group
            and families.involvement = complements.involvement

),

-- A row of all districts is the sum of a family, and a member of none.
needed as (

    select
        counts.*,
        counts.is_primary
        or counts.is_remembered
        or counts.is_end_involved
        or counts.is_end_not_involved
        or coalesce(within_families.is_needed, complements.is_parent_hidden, false)
            as is_needed,
        -- A coded row shows how many students it counts, a row with a small count or
        -- beside one may not.
        (counts.is_end_involved or counts.is_end_not_involved)
        and not counts.is_primary
        and not counts.is_remembered
        and coalesce(
            within_families.may_be_coded,
            not complements.is_parent_closed and not complements.has_small,
            false
        ) as may_be_coded,
        coalesce(within_families.has_small, complements.has_small, false) as has_small
    from counts
    left join within_families
        on
            counts.school_year = within_families.school_year
            and counts.district_id = within_families.district_id
            and counts.group_type = within_families.group_type
            and counts.group_value = within_families.group_value
            and counts.program_group = within_families.program_group
            and counts.involvement = within_families.involvement
            and counts.measure = within_families.measure
    left join complements
        on
            counts.district_id = 'all'
            and counts.group_type = 'all'
            and counts.school_year = complements.school_year
            and complements.parent_id = 'all'
            and counts.measure = complements.measure
            and counts.program_group = complements.program_group
            and counts.involvement = complements.involvement

),

-- Measures of nearly the same students would tell what another hides; a mean does not
-- tell a numerator.
counted_together as (

    select
        needed.*,
        needed.is_needed or coalesce(related.is_needed, false) as is_needed_together,
        needed.may_be_coded and not coalesce(related.is_needed, false)
            as may_be_coded_together
    from needed
    left join lateral (
        select bool_or(other.is_needed) as is_needed
        from needed as other
        cross join suppression
        where
            needed.school_year = other.school_year
            and needed.district_id = other.district_id
            and needed.group_type = other.group_type
            and needed.group_value = other.group_value
            and needed.program_group = other.program_group
            and needed.involvement = other.involvement
            and (
                (
                    needed.measure in (
                        'is_chronically_absent_federal', 'is_chronically_absent_pde'
                    )
                    and other.measure in (
                        'attendance_rate',
                        'is_chronically_absent_federal',
                        'is_chronically_absent_pde'
                    )
                )
                or (
                    needed.measure = 'promise_on_track_or_eligible'
                    and other.measure = 'gpa'
                    and other.n - needed.n < suppression.smallest_published_count
                )
                or (
                    needed.measure = 'gpa'
                    and other.measure = 'promise_on_track_or_eligible'
                    and other.has_small
                    and needed.n - other.n < suppression.smallest_published_count
                )
            )
    ) as related on true

),

-- The groups of a hidden district would add up to it. The Promise is for the grades of
-- high school, whose grade-point averages would add up to it, too.
below_districts as (

    select
        counted_together.*,
        coalesce(district.is_hidden, false) as is_district_hidden
    from counted_together
    left join lateral (
        select bool_or(other.is_needed_together) as is_hidden
        from counted_together as other
        where
            counted_together.group_type <> 'all'
            and other.group_type = 'all'
            and counted_together.school_year = other.school_year
            and counted_together.district_id = other.district_id
            and counted_together.program_group = other.program_group
            and counted_together.involvement = other.involvement
            and (
                counted_together.measure = other.measure
                or (
                    counted_together.measure = 'gpa'
                    and counted_together.group_type in ('grade_band', 'school')
                    and other.measure = 'promise_on_track_or_eligible'
                )
            )
    ) as district on true

),

-- A group of all districts is shown where each district shows it: nothing new.
across_districts as (

    select
        school_year,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
        bool_or(is_needed_together or is_district_hidden) as is_any_hidden
    from below_districts
    where district_id <> 'all' and group_type <> 'all'
    group by
        school_year, group_type, group_value, program_group, involvement, measure

),

gap_suppression as (

    select
        below_districts.school_year,
        below_districts.district_id,
        below_districts.group_type,
        below_districts.group_value,
        below_districts.program_group,
        below_districts.involvement,
        below_districts.measure,
        below_districts.n,
        below_districts.x,
        below_districts.n_involved,
        below_districts.x_involved,
        below_districts.is_end_involved,
        below_districts.is_end_not_involved,
        below_districts.is_small_itself,
        below_districts.is_primary,
        below_districts.is_needed_together
        or below_districts.is_district_hidden
        or coalesce(across_districts.is_any_hidden, false) as is_needed,
        below_districts.is_remembered,
        below_districts.n_involved_before,
        below_districts.x_involved_before,
        below_districts.may_be_coded_together
        and not below_districts.is_district_hidden as is_coded
    from below_districts
    left join across_districts
        on
            below_districts.district_id = 'all'
            and below_districts.school_year = across_districts.school_year
            and below_districts.group_type = across_districts.group_type
            and below_districts.group_value = across_districts.group_value
            and below_districts.program_group = across_districts.program_group
            and below_districts.involvement = across_districts.involvement
            and below_districts.measure = across_districts.measure

)

select * from gap_suppression
