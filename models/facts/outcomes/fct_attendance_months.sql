with

district_years as (

    select * from {{ ref('int_district_years') }}

),

attendance_months as (

    select * from {{ ref('int_attendance_months') }}

),

student_years as (

    select * from {{ ref('fct_student_years') }}

),

-- Only students with a student-year; others have attendance but no enrollment.
months as (

    select
        student_years.student_key,
        student_years.person_id,
        attendance_months.district_id,
        attendance_months.district_student_id,
        attendance_months.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        attendance_months.month,
        attendance_months.days_enrolled,
        cast(
            attendance_months.days_absent_excused
            + attendance_months.days_absent_unexcused as numeric(6, 2)
        ) as days_absent,
        attendance_months.days_absent_excused,
        attendance_months.days_absent_unexcused
    from attendance_months
    inner join student_years using (district_id, district_student_id, school_year)
    left join district_years using (district_id, school_year)

)

select * from months
