with

attendance_events as (

    select * from {{ ref('stg_attendance_events') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

-- A file that says who was present has a row a day; in any other no row means present.
positive_files as (

    select distinct
        district_id,
        school_year
    from attendance_events
    where category = 'present'

),

reported_calendars as (

    select
        district_id,
        district_student_id,
        school_year,
        bit_or(
            set_bit(
                repeat('0', 366)::bit(366),
                event_date - make_date(school_year - 1, 7, 1),
                1
            )
        ) as reported_days
    from attendance_events
    where
        event_date >= make_date(school_year - 1, 7, 1)
        and event_date <= make_date(school_year, 6, 30)
    group by district_id, district_student_id, school_year

),

student_calendars as (

    select
        enrollment_calendars.district_id,
        enrollment_calendars.school_year,
        enrollment_calendars.enrolled_days,
        enrollment_calendars.enrolled_days
        & ~coalesce(reported_calendars.reported_days, repeat('0', 366)::bit(366))
            as missing_days
    from enrollment_calendars
    inner join positive_files
        on
            enrollment_calendars.district_id = positive_files.district_id
            and enrollment_calendars.school_year = positive_files.school_year
    left join reported_calendars
        on
            enrollment_calendars.district_id = reported_calendars.district_id
            and enrollment_calendars.district_student_id
            = reported_calendars.district_student_id
            and enrollment_calendars.school_year = reported_calendars.school_year

),

attendance_gaps as (

    select
        student_calendars.district_id,
        student_calendars.school_year,
        make_date(student_calendars.school_year - 1, 7, 1) + days.number
            as calendar_date,
        count(*) as students_enrolled,
        sum(get_bit(student_calendars.missing_days, days.number))
            as students_without_row
    from student_calendars
    cross join generate_series(0, 365) as days (number)
    where get_bit(student_calendars.enrolled_days, days.number) = 1
    group by
        student_calendars.district_id, student_calendars.school_year, days.number
    having sum(get_bit(student_calendars.missing_days, days.number)) > 0

)

select * from attendance_gaps
