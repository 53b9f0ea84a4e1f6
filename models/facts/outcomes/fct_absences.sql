with

absence_calendars as (

    select * from {{ ref('int_absence_calendars') }}

),

student_years as (

    select * from {{ ref('fct_student_years') }}

),

-- Weeks without an absence are skipped: reading every bit takes four times as long.
absent_weeks as (

    select
        absence_calendars.*,
        weeks.first_day
    from absence_calendars
    cross join generate_series(0, 365, 7) as weeks (first_day)
    where
        bit_count(
            substring(absence_calendars.absent_days from weeks.first_day + 1 for 7)
        ) > 0

),

absent_days as (

    select
        absent_weeks.district_id,
        absent_weeks.district_student_id,
        absent_weeks.school_year,
        make_date(absent_weeks.school_year - 1, 7, 1) + days.day as calendar_date,
        absent_weeks.day_fraction,
        absent_weeks.is_excused
    from absent_weeks
    cross join
        lateral generate_series(
            absent_weeks.first_day, least(absent_weeks.first_day + 6, 365)
        ) as days (day)
    where get_bit(absent_weeks.absent_days, days.day) = 1

),

-- Only students with a student-year; others have attendance but no enrollment.
absences as (

    select
        student_years.student_key,
        student_years.person_id,
        absent_days.district_id,
        absent_days.district_student_id,
        absent_days.school_year,
        absent_days.calendar_date,
        absent_days.day_fraction,
        absent_days.is_excused
    from absent_days
    inner join student_years using (district_id, district_student_id, school_year)

)

select * from absences
