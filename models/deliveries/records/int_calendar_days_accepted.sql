with

calendar_days as (

    select * from {{ ref('stg_calendar_days') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'calendar_days'

),

contract_calendars as (

    select * from {{ ref('stg_contract_calendars') }}

),

-- A contract lists the days of the whole year. Only those up to the newest file of
-- absences have known attendance.
attendance_known as (

    select * from {{ ref('int_feeds_delivered') }}
    where feed = 'attendance_events'

),

enrollments as (

    select * from {{ ref('int_enrollments_accepted') }}

),

delivered_days as (

    select distinct on (
        calendar_days.partner_id, calendar_days.school_code, calendar_days.calendar_date
    )
        calendar_days.partner_id as district_id,
        calendar_days.school_code,
        calendar_days.school_name,
        snapshots.school_year,
        calendar_days.calendar_date,
        calendar_days.is_in_session
    from calendar_days
    inner join snapshots on calendar_days.load_id = snapshots.load_id
    order by
        calendar_days.partner_id,
        calendar_days.school_code,
        calendar_days.calendar_date,
        calendar_days.line_number desc

),

schools as (

    select distinct
        district_id,
        school_year,
        school_code
    from enrollments
    where school_code is not null

),

school_calendars as (

    select distinct on (schools.district_id, schools.school_year, schools.school_code)
        schools.district_id,
        schools.school_code,
        schools.school_year,
        contract_calendars.session_days,
        attendance_known.as_of_date as known_through
    from schools
    inner join contract_calendars
        on
            schools.district_id = contract_calendars.partner_id
            and schools.school_year = contract_calendars.school_year
            and schools.school_code
            = coalesce(contract_calendars.school_code, schools.school_code)
    inner join attendance_known
        on
            schools.district_id = attendance_known.partner_id
            and schools.school_year = attendance_known.school_year
    order by
        schools.district_id,
        schools.school_year,
        schools.school_code,
        contract_calendars.school_code nulls last

),

contract_days as (

    select
        school_calendars.district_id,
        school_calendars.school_code,
        cast(null as text) as school_name,
        school_calendars.school_year,
        days.calendar_date,
        true as is_in_session
    from school_calendars
    cross join lateral unnest(school_calendars.session_days) as days (calendar_date)
    where days.calendar_date <= school_calendars.known_through

),

all_calendar_days as (

    select * from delivered_days
    union all
    select * from contract_days

)

select * from all_calendar_days
