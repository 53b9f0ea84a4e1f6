with

attendance_months as (

    select * from {{ ref('int_attendance_months') }}

),

attendance_years as (

    select
        district_id,
        district_student_id,
        school_year,
        sum(days_enrolled) as days_enrolled,
        sum(days_absent_excused) as days_absent_excused,
        sum(days_absent_unexcused) as days_absent_unexcused,
        sum(days_absent_excused) + sum(days_absent_unexcused) as days_absent
    from attendance_months
    group by district_id, district_student_id, school_year

)

select * from attendance_years
