with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

enrollments as (

    select * from {{ ref('fct_enrollments') }}

),

enrollment_codes as (

    select * from {{ ref('enrollment_codes') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- A person of several districts is described by the one with the most days.
main_years as (

    select distinct on (person_id, school_year) *
    from student_years
    order by
        person_id, school_year, days_enrolled desc nulls last, student_key

),

-- Without a reported exit, membership lasts to the end of the year or the as-of date.
memberships as (

    select
        enrollments.person_id,
        enrollments.school_year,
        least(
            coalesce(enrollments.exit_date, make_date(enrollments.school_year, 6, 30)),
            as_of.as_of_date
        ) as last_day,
        case
            when
                enrollment_codes.is_graduation
                and enrollments.exit_date <= as_of.as_of_date
                then enrollments.exit_date
        end as graduated_on
    from enrollments
    cross join as_of
    left join enrollment_codes on enrollments.exit_code = enrollment_codes.code

),

membership_years as (

    select
        person_id,
        school_year,
        max(last_day) as last_day,
        min(graduated_on) as graduated_on
    from memberships
    group by person_id, school_year

),

person_years as (

    select
        main_years.person_id,
        main_years.school_year,
        main_years.student_key,
        main_years.district_id,
        main_years.grade,
        main_years.gender,
        main_years.race,
        main_years.economic_status,
        main_years.attendance_rate,
        main_years.is_chronically_absent_federal,
        main_years.gpa,
        main_years.is_proficient_math,
        main_years.is_proficient_reading,
        membership_years.last_day,
        membership_years.graduated_on
    from main_years
    inner join membership_years using (person_id, school_year)

)

select * from person_years
