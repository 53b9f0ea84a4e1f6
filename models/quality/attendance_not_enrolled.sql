with

attendance_calendars as (

    select * from {{ ref('int_attendance_calendars') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

days_not_enrolled as (

    select
        attendance_calendars.district_id,
        attendance_calendars.school_year,
        attendance_calendars.district_student_id,
        attendance_calendars.rows_outside_year,
        attendance_calendars.reported_days
        & ~coalesce(
            enrollment_calendars.enrolled_days, cast(repeat('0', 366) as bit(366))
        ) as days
    from attendance_calendars
    left join enrollment_calendars using (district_id, district_student_id, school_year)

),

-- The calendars of a student have one row for each kind of absence. The first day of a
-- calendar is July 1.
attendance_not_enrolled as (

    select
        district_id,
        school_year,
        district_student_id,
        cast(sum(rows_outside_year + bit_count(days)) as bigint) as rows_affected,
        make_date(school_year - 1, 7, 1)
        + nullif(position(b'1' in bit_or(days)), 0) - 1 as first_day,
        make_date(school_year - 1, 7, 1)
        + 366 - nullif(position('1' in reverse(cast(bit_or(days) as text))), 0)
            as last_day
    from days_not_enrolled
    group by district_id, school_year, district_student_id
    having sum(rows_outside_year + bit_count(days)) > 0

)

select * from attendance_not_enrolled
