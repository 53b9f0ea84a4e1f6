with

spells as (

    select * from {{ ref('int_enrollment_spells') }}
    where not is_no_show

),

calendar_days as (

    select * from {{ ref('int_calendar_days_accepted') }}

),

attendance_totals as (

    select * from {{ ref('int_attendance_totals_accepted') }}

),

school_calendars as (

    select distinct
        district_id,
        school_year,
        school_code
    from calendar_days

),

-- Monthly totals contain both the days enrolled and the days absent.
totals as (

    select distinct
        district_id,
        school_year
    from attendance_totals

),

-- An attendance file without absences means that there were none.
events as (

    select
        partner_id as district_id,
        school_year
    from {{ ref('int_feeds_delivered') }}
    where feed = 'attendance_events'

),

-- A student's days are unknown as soon as one of the student's schools has no calendar.
student_calendars as (

    select
        spells.district_id,
        spells.district_student_id,
        spells.school_year,
        bool_and(school_calendars.school_code is not null) as has_calendar
    from spells
    left join school_calendars using (district_id, school_year, school_code)
    group by spells.district_id, spells.district_student_id, spells.school_year

),

days_known as (

    select
        student_calendars.district_id,
        student_calendars.district_student_id,
        student_calendars.school_year,
        student_calendars.has_calendar or totals.district_id is not null as has_days,
        (student_calendars.has_calendar and events.district_id is not null)
        or totals.district_id is not null as has_absences
    from student_calendars
    left join totals using (district_id, school_year)
    left join events using (district_id, school_year)

)

select * from days_known
