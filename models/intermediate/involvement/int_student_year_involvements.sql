with

student_years as (

    select * from {{ ref('int_student_years') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

involvements as (

    select * from {{ ref('int_involvements') }}

),

program_groups as (

    select * from {{ ref('program_groups') }}

),

coverage as (

    select * from {{ ref('int_involvement_coverage') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- Services that start after the as-of date do not count.
started as (

    select
        involvements.person_id,
        involvements.program_group,
        involvements.started_on,
        coalesce(involvements.ended_on, 'infinity') as ended_on,
        as_of.as_of_date
    from involvements
    cross join as_of
    where involvements.started_on <= as_of.as_of_date

),

-- One day of overlap with the school year (July 1 – June 30) is an involvement.
involved as (

    select
        student_years.district_id,
        student_years.district_student_id,
        student_years.school_year,
        started.program_group,
        bool_or(
            started.started_on <= make_date(student_years.school_year - 1, 6, 30)
            and started.ended_on >= make_date(student_years.school_year - 2, 7, 1)
        ) as involved_prior_year,
        bool_or(
            started.started_on <= make_date(student_years.school_year, 6, 30)
            and started.ended_on >= make_date(student_years.school_year - 1, 7, 1)
        ) as involved_concurrent
    from student_years
    inner join student_persons using (district_id, district_student_id)
    inner join started using (person_id)
    group by
        student_years.district_id,
        student_years.district_student_id,
        student_years.school_year,
        started.program_group

),

-- A record means involvement. Without one, a student is not involved only where a
-- source covers the dates.
student_year_involvements as (

    select
        student_years.district_id,
        student_years.district_student_id,
        student_years.school_year,
        program_groups.program_group,
        case
            when involved.program_group is not null then true
            when coverage.is_ever_covered then false
        end as involved_ever,
        case
            when involved.involved_prior_year then true
            when coverage.is_prior_year_covered then false
        end as involved_prior_year,
        case
            when involved.involved_concurrent then true
            when coverage.is_concurrent_covered then false
        end as involved_concurrent
    from student_years
    cross join program_groups
    left join coverage using (school_year, program_group)
    left join involved
        using (district_id, district_student_id, school_year, program_group)

)

select * from student_year_involvements
