with

-- One key for the columns that rows about the same students have in common.
strata as (

    select
        *,
        concat_ws(
            '|',
            school_year,
            district_id,
            grade,
            economic_status,
            group_type,
            group_value,
            measure
        ) as stratum_key
    from {{ ref('int_outcome_gap_strata') }}

),

coverage as (

    select * from {{ ref('int_involvement_coverage') }}

),

definitions as (

    select
        coverage.school_year,
        coverage.program_group,
        definitions.involvement,
        definitions.is_covered
    from coverage
    cross join
        lateral (
            values
            ('ever', coverage.is_ever_covered),
            ('prior_year', coverage.is_prior_year_covered),
            ('concurrent', coverage.is_concurrent_covered)
        ) as definitions (involvement, is_covered)

),

all_students as (

    select * from strata
    where program_group = 'all_students'

),

-- Where a source covers the dates, all others are not involved; elsewhere nobody is.
-- Direct standardization: a stratum has the weight of all its students. A stratum
-- without both kinds has no gap, so it has no weight.
weighted as (

    select
        strata.*,
        case
            when definitions.is_covered and strata.n < all_students.n
                then all_students.n
        end as weight,
        all_students.n_key as weight_key,
        strata.total / strata.n
        - (all_students.total - strata.total)
        / nullif(all_students.n - strata.n, 0) as gap
    from strata
    inner join all_students on strata.stratum_key = all_students.stratum_key
    left join definitions
        on
            strata.school_year = definitions.school_year
            and strata.program_group = definitions.program_group
            and strata.involvement = definitions.involvement

),

-- A student-year counts for its district and for `all`. A school has no row of `all`.
sums as (

    select
        weighted.school_year,
        districts.district_id,
        weighted.group_type,
        weighted.group_value,
        weighted.program_group,
        weighted.involvement,
        weighted.measure,
        concat_ws(
            '|',
            weighted.school_year,
            districts.district_id,
            weighted.group_type,
            weighted.group_value,
            weighted.measure
        ) as group_key,
        weighted.is_proportion,
        sum(weighted.n) as n,
        sum(weighted.total) as total,
        sum(weighted.squares) as squares,
        sum(weighted.n_key) as n_key,
        sum(weighted.total_key) as total_key,
        sum(weighted.weight) as n_adjusted,
        sum(weighted.weight_key) filter (where weighted.weight is not null)
            as n_adjusted_key,
        sum(weighted.weight * weighted.gap) as weighted_gaps
    from weighted
    cross join
        lateral (
            values (weighted.district_id), ('all')
        ) as districts (district_id)
    where weighted.group_type <> 'school' or districts.district_id <> 'all'
    group by
        weighted.school_year,
        districts.district_id,
        weighted.group_type,
        weighted.group_value,
        weighted.program_group,
        weighted.involvement,
        weighted.measure,
        weighted.is_proportion

),

compared as (

    select
        totals.school_year,
        totals.district_id,
        totals.group_type,
        totals.group_value,
        definitions.program_group,
        definitions.involvement,
        totals.measure,
        totals.is_proportion,
        coalesce(involved.n, 0) as n_involved,
        coalesce(involved.total, 0) as total_involved,
        coalesce(involved.squares, 0) as squares_involved,
        case
            when definitions.is_covered then totals.n - coalesce(involved.n, 0)
            else 0
        end as n_not_involved,
        totals.total - coalesce(involved.total, 0) as total_not_involved,
        totals.squares - coalesce(involved.squares, 0) as squares_not_involved,
        coalesce(involved.n_key, 0) as n_involved_key,
        coalesce(involved.total_key, 0) as total_involved_key,
        totals.n_key - coalesce(involved.n_key, 0) as n_not_involved_key,
        totals.total_key - coalesce(involved.total_key, 0) as total_not_involved_key,
        totals.n_key - coalesce(involved.n_adjusted_key, 0) as n_left_out_key,
        coalesce(involved.n_adjusted, 0) as n_adjusted,
        involved.weighted_gaps
    from sums as totals
    inner join definitions on totals.school_year = definitions.school_year
    left join sums as involved
        on
            totals.group_key = involved.group_key
            and definitions.program_group = involved.program_group
            and definitions.involvement = involved.involvement
    where totals.program_group = 'all_students'

)

select * from compared
