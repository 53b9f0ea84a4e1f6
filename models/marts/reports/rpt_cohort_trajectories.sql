with

codes as (

    select * from {{ ref('codes') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

cohort_years as (

    select * from {{ ref('fct_cohort_years') }}

),

incidences as (

    select * from {{ ref('int_cohort_incidences') }}

),

juvenile_justice_coverage as (

    select * from {{ ref('int_involvement_coverage') }}
    where program_group = 'juvenile_justice'

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

reporting_rules as (

    select * from {{ ref('reporting_rules') }}

),

grouped as (

    select
        cohort_years.*,
        as_of.as_of_date,
        groups.group_type,
        groups.group_value
    from cohort_years
    cross join as_of
    cross join
        lateral (
            values
            ('all', 'all'),
            ('district', cohort_years.base_district_id),
            ('grade', cohort_years.base_grade::text),
            ('gender', cohort_years.gender),
            ('race', cohort_years.race::text),
            ('economic_status', cohort_years.base_economic_status),
            (
                'involvement',
                case cohort_years.base_involved
                    when true then 'involved' when false then 'not involved'
                end
            )
        ) as groups (group_type, group_value)
    where groups.group_value is not null

),

-- `last_day` is the last day of the follow-up year, or the as-of date, as a day of
-- follow-up.
outcomes as (

    select
        base_year,
        group_type,
        group_value,
        follow_up_year,
        count(*)::integer as n_students,
        (count(*) filter (where status = 'enrolled'))::integer as n_enrolled,
        (count(*) filter (where status = 'graduated'))::integer as n_graduated,
        (count(*) filter (where status = 'not_enrolled'))::integer as n_not_enrolled,
        (
            count(*) filter (
                where status = 'enrolled' and district_id <> base_district_id
            )
        )::integer as n_in_another_district,
        count(attendance_rate)::integer as n_with_attendance,
        count(gpa)::integer as n_with_gpa,
        count(is_proficient_math)::integer as n_tested_math,
        count(is_proficient_reading)::integer as n_tested_reading,
        avg(attendance_rate)::float8 as attendance_rate,
        avg(is_chronically_absent_federal::int)::float8
            as share_chronically_absent_federal,
        avg(gpa)::float8 as gpa,
        avg(is_proficient_math::int)::float8 as share_proficient_math,
        avg(is_proficient_reading::int)::float8 as share_proficient_reading,
        -- A mean of known values would count those with a record only.
        case
            when count(is_involved) = count(*) then avg(is_involved::int)::float8
        end as share_involved,
        least(make_date(follow_up_year, 6, 30), max(as_of_date))
        - make_date(base_year - 1, 7, 1) + 1 as last_day
    from grouped
    group by base_year, group_type, group_value, follow_up_year

),

dated_incidences as (

    select
        outcomes.base_year,
        outcomes.group_type,
        outcomes.group_value,
        outcomes.follow_up_year,
        sum(incidences.n_ended) as n_free_at_start,
        sum(incidences.n_ended) filter (
            where incidences.days_observed < outcomes.last_day
        ) as n_ended_before,
        sum(incidences.n_events) filter (
            where incidences.days_observed <= outcomes.last_day
        ) as n_juvenile_justice,
        max(incidences.cumulative_incidence) filter (
            where incidences.days_observed <= outcomes.last_day
        ) as cumulative_incidence
    from outcomes
    inner join incidences using (base_year, group_type, group_value)
    group by
        outcomes.base_year,
        outcomes.group_type,
        outcomes.group_value,
        outcomes.follow_up_year

),

-- Without a source that covers both years, who had a record is unknown.
covered_years as (

    select
        base_coverage.school_year as base_year,
        follow_up_coverage.school_year as follow_up_year
    from juvenile_justice_coverage as base_coverage
    cross join juvenile_justice_coverage as follow_up_coverage
    where
        base_coverage.is_concurrent_covered
        and follow_up_coverage.is_concurrent_covered

),

juvenile_justice as (

    select
        outcomes.base_year,
        outcomes.group_type,
        outcomes.group_value,
        outcomes.follow_up_year,
        coalesce(dated_incidences.n_free_at_start, 0)::integer as n_free_at_start,
        coalesce(dated_incidences.n_juvenile_justice, 0)::integer
            as n_juvenile_justice,
        coalesce(
            dated_incidences.n_free_at_start
            - coalesce(dated_incidences.n_ended_before, 0),
            0
        )::integer as n_at_risk,
        case
            when dated_incidences.n_free_at_start > 0
                then coalesce(dated_incidences.cumulative_incidence, 0)
        end as incidence
    from outcomes
    inner join covered_years using (base_year, follow_up_year)
    left join dated_incidences
        using (base_year, group_type, group_value, follow_up_year)

),

cohort_trajectories as (

    select
        outcomes.base_year,
        outcomes.group_type,
        outcomes.group_value,
        coalesce(codes.label, outcomes.group_value) as group_label,
        outcomes.follow_up_year,
        district_years.known_through,
        district_years.is_complete_year,
        outcomes.n_students,
        outcomes.n_enrolled,
        outcomes.n_graduated,
        outcomes.n_not_enrolled,
        outcomes.n_in_another_district,
        outcomes.n_with_attendance,
        outcomes.n_with_gpa,
        outcomes.n_tested_math,
        outcomes.n_tested_reading,
        case
            when outcomes.n_with_attendance >= rules.smallest_number_of_students
                then outcomes.attendance_rate
        end as attendance_rate,
        case
            when outcomes.n_with_attendance >= rules.smallest_number_of_students
                then outcomes.share_chronically_absent_federal
        end as share_chronically_absent_federal,
        case
            when outcomes.n_with_gpa >= rules.smallest_number_of_students
                then outcomes.gpa
        end as gpa,
        case
            when outcomes.n_tested_math >= rules.smallest_number_of_students
                then outcomes.share_proficient_math
        end as share_proficient_math,
        case
            when outcomes.n_tested_reading >= rules.smallest_number_of_students
                then outcomes.share_proficient_reading
        end as share_proficient_reading,
        case
            when outcomes.n_students >= rules.smallest_number_of_students
                then outcomes.share_involved
        end as share_involved,
        juvenile_justice.n_free_at_start,
        juvenile_justice.n_juvenile_justice,
        juvenile_justice.n_at_risk,
        juvenile_justice.incidence as juvenile_justice_incidence
    from outcomes
    cross join reporting_rules as rules
    left join juvenile_justice
        using (base_year, group_type, group_value, follow_up_year)
    left join district_years
        on
            district_years.district_id = 'all'
            and outcomes.follow_up_year = district_years.school_year
    left join codes
        on outcomes.group_type = codes.domain and outcomes.group_value = codes.code

)

select * from cohort_trajectories
