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
reported_months as (

    select distinct
        district_id,
        school_year,
        month
    from attendance_totals

),

totals as (

    select distinct
        district_id,
        school_year
    from reported_months

),

-- Who is enrolled during a whole month has a total in it; without one, the student's
-- rows are missing or wrong. Who came after the last total has no day yet.
lacking_totals as (

    select distinct
        spells.district_id,
        spells.district_student_id,
        spells.school_year
    from spells
    inner join reported_months
        on
            spells.district_id = reported_months.district_id
            and spells.school_year = reported_months.school_year
            and spells.entry_date <= reported_months.month
            and coalesce(spells.exit_date, 'infinity')
            >= reported_months.month + interval '1 month' - interval '1 day'
    left join attendance_totals
        on
            spells.district_id = attendance_totals.district_id
            and spells.district_student_id = attendance_totals.district_student_id
            and spells.school_year = attendance_totals.school_year
            and attendance_totals.is_possible
    where attendance_totals.district_id is null

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

sources as (

    select
        student_calendars.district_id,
        student_calendars.district_student_id,
        student_calendars.school_year,
        student_calendars.has_calendar,
        events.district_id is not null as has_events,
        lacking_totals.district_id is not null as lacks_totals,
        totals.district_id is not null and lacking_totals.district_id is null
            as has_totals
    from student_calendars
    left join totals using (district_id, school_year)
    left join lacking_totals using (district_id, district_student_id, school_year)
    left join events using (district_id, school_year)

),

days_known as (

    select
        district_id,
        district_student_id,
        school_year,
        has_calendar or has_totals as has_days,
        (has_calendar and has_events) or has_totals as has_absences,
        lacks_totals
    from sources

)

select * from days_known
