/*
What it checks: in the public gaps no hidden row is the only hidden term of a sum:
districts that add up to all of them, groups of a district that add up to it, and the
sums themselves.
When it matters: the hidden row would be the sum less the others, and somebody could
work out how many children of a few there are. It is necessary for safety, and not
sufficient; `outcomes audit` checks the rest.
How to resolve it: int_gap_suppression leaves no such row; look there in `consequences`
for what the row hides, and how it was lost since. Publish nothing before.
*/
with

gaps as (

    select
        school_year,
        district_id,
        'all' as group_type,
        'all' as group_value,
        program_group,
        involvement,
        measure,
        is_suppressed
    from {{ ref('rpt_outcome_gaps') }}
    union all
    select
        school_year,
        district_id,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
        is_suppressed
    from {{ ref('rpt_outcome_gaps_by_group') }}

),

-- Students of no known group are a part that nobody publishes. Where they are many it
-- does no harm to know how many.
ungrouped as (

    select
        school_year,
        district_id,
        group_type,
        program_group,
        involvement,
        measure,
        is_primary
    from {{ ref('int_gap_primary_suppression') }}
    where not is_published

),

sums as (

    select
        parts.school_year,
        'all' as district_id,
        parts.group_type,
        parts.group_value,
        parts.program_group,
        parts.involvement,
        parts.measure,
        count(*) filter (where parts.is_suppressed)
        + max(cast(whole.is_suppressed as integer)) as n_hidden,
        0 as n_harmless
    from gaps as parts
    inner join gaps as whole
        on
            parts.school_year = whole.school_year
            and parts.group_type = whole.group_type
            and parts.group_value = whole.group_value
            and parts.program_group = whole.program_group
            and parts.involvement = whole.involvement
            and parts.measure = whole.measure
    where
        parts.district_id <> 'all'
        and whole.district_id = 'all'
    group by
        parts.school_year,
        parts.group_type,
        parts.group_value,
        parts.program_group,
        parts.involvement,
        parts.measure
    union all
    select
        parts.school_year,
        parts.district_id,
        parts.group_type,
        'each' as group_value,
        parts.program_group,
        parts.involvement,
        parts.measure,
        count(*) filter (where parts.is_suppressed)
        + max(cast(whole.is_suppressed as integer))
        + count(distinct ungrouped.group_type) as n_hidden,
        count(distinct ungrouped.group_type) filter (where not ungrouped.is_primary)
            as n_harmless
    from gaps as parts
    inner join gaps as whole
        on
            parts.school_year = whole.school_year
            and parts.district_id = whole.district_id
            and parts.program_group = whole.program_group
            and parts.involvement = whole.involvement
            and parts.measure = whole.measure
    left join ungrouped
        on
            parts.school_year = ungrouped.school_year
            and parts.district_id = ungrouped.district_id
            and parts.group_type = ungrouped.group_type
            and parts.program_group = ungrouped.program_group
            and parts.involvement = ungrouped.involvement
            and parts.measure = ungrouped.measure
    where
        parts.district_id <> 'all'
        and parts.group_type <> 'all'
        and whole.group_type = 'all'
    group by
        parts.school_year,
        parts.district_id,
        parts.group_type,
        parts.program_group,
        parts.involvement,
        parts.measure

)

select * from sums
where n_hidden = 1 and n_harmless = 0
