-- The four counts that a published row discloses, before anything is hidden.
with

-- Groups of students stand for themselves: they are not crossed with program groups.
gaps as (

    select * from {{ ref('int_outcome_gaps') }}
    where group_type = 'all' or program_group = 'any'

),

-- A mean discloses whom it counts. Taking all of them as its numerator lets means and
-- shares go through the same steps.
numerators as (

    select
        school_year,
        district_id,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
        measure not in ('attendance_rate', 'gpa') as is_share,
        cast(n_involved as integer) as n_involved,
        cast(n_involved + n_not_involved as integer) as n,
        cast(
            case
                when measure in ('attendance_rate', 'gpa') then n_involved
                else round(n_involved * coalesce(value_involved, 0))
            end as integer
        ) as x_involved,
        cast(
            case
                when measure in ('attendance_rate', 'gpa')
                    then n_involved + n_not_involved
                else
                    round(n_involved * coalesce(value_involved, 0))
                    + round(n_not_involved * coalesce(value_not_involved, 0))
            end as integer
        ) as x
    from gaps

),

-- Who is not involved is not known where no source covers the dates; everybody is, from
-- the definitions that are covered.
totals as (

    select
        school_year,
        district_id,
        group_type,
        group_value,
        measure,
        max(n) as n,
        max(x) as x
    from numerators
    group by school_year, district_id, group_type, group_value, measure

),

counts as (

    select
        numerators.school_year,
        numerators.district_id,
        numerators.group_type,
        numerators.group_value,
        numerators.program_group,
        numerators.involvement,
        numerators.measure,
        numerators.is_share,
        totals.n,
        totals.x,
        numerators.n_involved,
        numerators.x_involved,
        true as is_published
    from numerators
    inner join totals
        on
            numerators.school_year = totals.school_year
            and numerators.district_id = totals.district_id
            and numerators.group_type = totals.group_type
            and numerators.group_value = totals.group_value
            and numerators.measure = totals.measure

),

group_sums as (

    select
        school_year,
        district_id,
        group_type,
        program_group,
        involvement,
        measure,
        sum(n) as n,
        sum(x) as x,
        sum(n_involved) as n_involved,
        sum(x_involved) as x_involved
    from counts
    where group_type <> 'all'
    group by school_year, district_id, group_type, program_group, involvement, measure

),

-- Students of no known group are published nowhere, and are what is left when the
-- groups are taken from their district.
ungrouped as (

    select
        counts.school_year,
        counts.district_id,
        group_sums.group_type,
        '(unknown)' as group_value,
        counts.program_group,
        counts.involvement,
        counts.measure,
        counts.is_share,
        cast(counts.n - group_sums.n as integer) as n,
        cast(counts.x - group_sums.x as integer) as x,
        cast(counts.n_involved - group_sums.n_involved as integer) as n_involved,
        cast(counts.x_involved - group_sums.x_involved as integer) as x_involved,
        false as is_published
    from counts
    inner join group_sums
        on
            counts.school_year = group_sums.school_year
            and counts.district_id = group_sums.district_id
            and counts.program_group = group_sums.program_group
            and counts.involvement = group_sums.involvement
            and counts.measure = group_sums.measure
    where
        counts.group_type = 'all'
        and counts.district_id <> 'all'
        and counts.n > group_sums.n

),

gap_counts as (

    select * from counts
    union all
    select * from ungrouped

)

select * from gap_counts
