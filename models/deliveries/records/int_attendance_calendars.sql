with

attendance_reports as (

    select * from {{ ref('int_attendance_reports') }}

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

decoded as (

    select
        attendance_reports.partner_id as district_id,
        student_ids.district_student_id,
        attendance_reports.school_year,
        categories.code as category,
        attendance_reports.day_fraction,
        excused_flags.code = 'yes' as is_excused,
        attendance_reports.reported_days,
        attendance_reports.rows_outside_year
    from attendance_reports
    {{ join_student_ids('attendance_reports') }}
    {{ join_meaning('categories', 'attendance', 'attendance_reports', 'event_code') }}
    {{ join_meaning('excused_flags', 'yes_no', 'attendance_reports', 'excused') }}

)

select * from decoded
