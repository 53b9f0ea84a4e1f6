-- Which rows are hidden for their own counts, for an earlier week's, or so that no other
-- row of their family follows from its sum.
with

counts as (

    select * from {{ ref('int_gap_primary_suppression') }}

),

families as (

    select * from {{ ref('int_gap_families') }}

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
gap_complementary_suppression as (

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

)

select * from gap_complementary_suppression
