with

caseworker_students as (

    select * from {{ ref('rpt_caseworker_students') }}

),

attendance_months as (

    select * from {{ ref('fct_attendance_months') }}

),

caseworker_months as (

    select
        caseworker_students.student_key,
        caseworker_students.district_id,
        attendance_months.school_year,
        attendance_months.known_through,
        attendance_months.is_complete_year,
        attendance_months.month,
        attendance_months.days_enrolled,
        attendance_months.days_absent,
        attendance_months.days_absent_unexcused
    from caseworker_students
    inner join attendance_months using (student_key)

)

select * from caseworker_months
