with

attendance_events as (

    select * from {{ ref('stg_attendance_events') }}

),

attendance_categories as (

    select * from {{ ref('attendance_categories') }}

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

-- The category decides what the event is; where it leaves that open, the row does.
absences as (

    select
        attendance_events.district_id,
        attendance_events.district_student_id,
        attendance_events.school_year,
        attendance_events.event_date,
        cast(
            coalesce(
                attendance_categories.day_fraction, attendance_events.day_fraction, 1
            ) as numeric(3, 2)
        ) as day_fraction,
        coalesce(
            attendance_categories.is_excused, attendance_events.is_excused, false
        ) as is_excused
    from attendance_events
    inner join attendance_categories
        on attendance_events.category = attendance_categories.category
    where attendance_categories.is_absence

),

-- One absence counts per student and day: the largest, and of equal ones the excused.
absence_days as (

    select distinct on (
        absences.district_id, absences.district_student_id, absences.event_date
    )
        absences.district_id,
        absences.district_student_id,
        absences.school_year,
        absences.event_date as calendar_date,
        absences.day_fraction,
        absences.is_excused
    from absences
    inner join enrollment_calendars
        on
            absences.district_id = enrollment_calendars.district_id
            and absences.district_student_id = enrollment_calendars.district_student_id
            and absences.school_year = enrollment_calendars.school_year
    where
        substring(
            enrollment_calendars.enrolled_days
            from absences.event_date - make_date(absences.school_year - 1, 7, 1) + 1
            for 1
        ) = b'1'
    order by
        absences.district_id,
        absences.district_student_id,
        absences.event_date,
        absences.day_fraction desc,
        absences.is_excused desc

)

select * from absence_days
