with

attendance_events as (

    select * from {{ ref('stg_attendance_events') }}

),

enrollment_days as (

    select * from {{ ref('int_enrollment_days') }}

),

attendance_outside_enrollment as (

    select
        attendance_events.district_id,
        attendance_events.school_year,
        count(*) as rows_affected,
        count(distinct attendance_events.district_student_id) as students
    from attendance_events
    left join enrollment_days
        on
            attendance_events.district_id = enrollment_days.district_id
            and attendance_events.district_student_id
            = enrollment_days.district_student_id
            and attendance_events.event_date = enrollment_days.calendar_date
    where enrollment_days.calendar_date is null
    group by attendance_events.district_id, attendance_events.school_year

)

select * from attendance_outside_enrollment
