with

as_of as (

    select * from {{ ref('int_as_of') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

absence_calendars as (

    select * from {{ ref('int_absence_calendars') }}

),

attendance_totals as (

    select * from {{ ref('int_attendance_totals_accepted') }}
    where is_possible

),

-- Weeks with their Monday as a day of the year. The first may begin before July 1.
weeks as (

    select
        as_of.school_year,
        cast(weeks.week_starts_on as date) as week_starts_on,
        cast(weeks.week_starts_on as date) - make_date(as_of.school_year - 1, 7, 1) + 1
            as first_day
    from as_of
    cross join
        lateral generate_series(
            date_trunc('week', make_date(as_of.school_year - 1, 7, 1)),
            make_date(as_of.school_year, 6, 30),
            interval '1 week'
        ) as weeks (week_starts_on)

),

counted_days as (

    select
        enrollment_calendars.district_id,
        enrollment_calendars.district_student_id,
        weeks.week_starts_on,
        bit_count(
            substring(enrollment_calendars.enrolled_days from weeks.first_day for 7)
        ) as days_enrolled
    from enrollment_calendars
    inner join weeks using (school_year)

),

counted_absences as (

    select
        absence_calendars.district_id,
        absence_calendars.district_student_id,
        weeks.week_starts_on,
        absence_calendars.is_excused,
        absence_calendars.day_fraction * bit_count(
            substring(absence_calendars.absent_days from weeks.first_day for 7)
        ) as days_absent
    from absence_calendars
    inner join weeks using (school_year)

),

-- Monthly totals cannot be divided by week. They count from the last day of the month,
-- or in the current month from the newest delivery.
reported_days as (

    select
        attendance_totals.district_id,
        attendance_totals.district_student_id,
        cast(
            date_trunc(
                'week',
                least(
                    attendance_totals.month + interval '1 month' - interval '1 day',
                    district_years.known_through
                )
            ) as date
        ) as week_starts_on,
        attendance_totals.days_enrolled,
        attendance_totals.days_absent_excused,
        attendance_totals.days_absent_unexcused
    from attendance_totals
    inner join as_of using (school_year)
    inner join district_years using (district_id, school_year)

),

unioned as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        days_enrolled,
        0 as days_absent,
        0 as days_absent_unexcused
    from counted_days
    where days_enrolled > 0
    union all
    select
        district_id,
        district_student_id,
        week_starts_on,
        0 as days_enrolled,
        days_absent,
        case when is_excused then 0 else days_absent end as days_absent_unexcused
    from counted_absences
    where days_absent > 0
    union all
    select
        district_id,
        district_student_id,
        week_starts_on,
        days_enrolled,
        days_absent_excused + days_absent_unexcused as days_absent,
        days_absent_unexcused
    from reported_days

),

weekly_attendance as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        sum(days_enrolled) as days_enrolled,
        sum(days_absent) as days_absent,
        sum(days_absent_unexcused) as days_absent_unexcused
    from unioned
    group by district_id, district_student_id, week_starts_on

)

select * from weekly_attendance
