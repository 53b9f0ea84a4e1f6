with

attendance_calendars as (

    select * from {{ ref('int_attendance_calendars') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

-- A positive file has a row per student and day. In any other file, no row means
-- present.
positive_files as (

    select distinct
        district_id,
        school_year
    from attendance_calendars
    where category = 'present'

),

reported_calendars as (

    select
        district_id,
        district_student_id,
        school_year,
        bit_or(reported_days) as reported_days
    from attendance_calendars
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
    inner join positive_files using (district_id, school_year)
    left join reported_calendars using (district_id, district_student_id, school_year)

),

files as (

    select
        district_id,
        school_year,
        bit_or(missing_days) as missing_days
    from student_calendars
    group by district_id, school_year

),

-- Most files have no gap, so only days of files with one are counted.
gap_days as (

    select
        files.district_id,
        files.school_year,
        days.number
    from files
    cross join generate_series(0, 365) as days (number)
    where get_bit(files.missing_days, days.number) = 1

),

attendance_gaps as (

    select
        gap_days.district_id,
        gap_days.school_year,
        make_date(gap_days.school_year - 1, 7, 1) + gap_days.number as calendar_date,
        count(*) as students_enrolled,
        sum(get_bit(student_calendars.missing_days, gap_days.number))
            as students_without_row
    from gap_days
    inner join student_calendars using (district_id, school_year)
    where get_bit(student_calendars.enrolled_days, gap_days.number) = 1
    group by gap_days.district_id, gap_days.school_year, gap_days.number

)

select * from attendance_gaps
