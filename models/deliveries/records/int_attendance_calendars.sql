with

attendance_reports as (

    select * from {{ ref('int_attendance_reports') }}

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

attendance_calendars as (

    select
        attendance_reports.partner_id as district_id,
        student_ids.district_student_id,
        attendance_reports.school_year,
        attendance_reports.category,
        attendance_reports.day_fraction,
        attendance_reports.is_excused,
        attendance_reports.reported_days,
        attendance_reports.rows_outside_year
    from attendance_reports
    {{ join_student_ids('attendance_reports') }}

)

select * from attendance_calendars
