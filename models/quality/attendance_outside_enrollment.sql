with

attendance_events as (

    select * from {{ ref('stg_attendance_events') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

attendance_outside_enrollment as (

    select
        attendance_events.district_id,
        attendance_events.school_year,
        count(*) as rows_affected,
        count(distinct attendance_events.district_student_id) as students
    from attendance_events
    left join enrollment_calendars
        on
            attendance_events.district_id = enrollment_calendars.district_id
            and attendance_events.district_student_id
            = enrollment_calendars.district_student_id
            and attendance_events.school_year = enrollment_calendars.school_year
    where
        substring(
            enrollment_calendars.enrolled_days
            from attendance_events.event_date
            - make_date(attendance_events.school_year - 1, 7, 1) + 1
            for 1
        ) is distinct from b'1'
    group by attendance_events.district_id, attendance_events.school_year

)

select * from attendance_outside_enrollment
