{{ config(materialized='view') }}

with

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

enrollment_days as (

    select
        enrollment_calendars.district_id,
        enrollment_calendars.district_student_id,
        enrollment_calendars.school_year,
        make_date(enrollment_calendars.school_year - 1, 7, 1) + days.number
            as calendar_date
    from enrollment_calendars
    cross join generate_series(0, 365) as days (number)
    where get_bit(enrollment_calendars.enrolled_days, days.number) = 1

)

select * from enrollment_days
