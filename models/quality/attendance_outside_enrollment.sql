with

attendance_calendars as (

    select * from {{ ref('int_attendance_calendars') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

counted as (

    select
        attendance_calendars.district_id,
        attendance_calendars.school_year,
        attendance_calendars.district_student_id,
        attendance_calendars.rows_outside_year + bit_count(
            attendance_calendars.reported_days
            & ~coalesce(
                enrollment_calendars.enrolled_days, cast(repeat('0', 366) as bit(366))
            )
        ) as rows_affected
    from attendance_calendars
    left join enrollment_calendars using (district_id, district_student_id, school_year)

),

attendance_outside_enrollment as (

    select
        district_id,
        school_year,
        cast(sum(rows_affected) as bigint) as rows_affected,
        count(distinct district_student_id) as students
    from counted
    where rows_affected > 0
    group by district_id, school_year

)

select * from attendance_outside_enrollment
