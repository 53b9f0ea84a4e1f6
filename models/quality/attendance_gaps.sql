with

attendance_events as (

    select * from {{ ref('stg_attendance_events') }}

),

enrollment_days as (

    select * from {{ ref('int_enrollment_days') }}

),

-- A file that says who was present has a row a day; in any other no row means present.
positive_files as (

    select distinct
        district_id,
        school_year
    from attendance_events
    where category = 'present'

),

reported_days as (

    select distinct
        district_id,
        district_student_id,
        event_date
    from attendance_events

),

student_days as (

    select
        enrollment_days.district_id,
        enrollment_days.school_year,
        enrollment_days.calendar_date,
        reported_days.event_date is null as is_missing
    from enrollment_days
    inner join positive_files
        on
            enrollment_days.district_id = positive_files.district_id
            and enrollment_days.school_year = positive_files.school_year
    left join reported_days
        on
            enrollment_days.district_id = reported_days.district_id
            and enrollment_days.district_student_id = reported_days.district_student_id
            and enrollment_days.calendar_date = reported_days.event_date

),

attendance_gaps as (

    select
        district_id,
        school_year,
        calendar_date,
        count(*) as students_enrolled,
        count(*) filter (where is_missing) as students_without_row
    from student_days
    group by district_id, school_year, calendar_date
    having bool_or(is_missing)

)

select * from attendance_gaps
