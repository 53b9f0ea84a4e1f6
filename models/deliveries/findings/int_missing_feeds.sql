with

feeds_delivered as (

    select * from {{ ref('int_feeds_delivered') }}

),

-- The calendar may come from a file or from the contract.
calendars as (

    select distinct
        district_id,
        school_year
    from {{ ref('int_calendar_days_accepted') }}

),

years as (

    select
        feeds_delivered.partner_id,
        feeds_delivered.school_year,
        bool_or(feeds_delivered.feed = 'enrollments') as has_enrollments,
        bool_or(calendars.district_id is not null) as has_calendar,
        bool_or(feeds_delivered.feed = 'attendance_events') as has_events,
        bool_or(
            feeds_delivered.feed in ('attendance_totals', 'attendance_year_totals')
        ) as has_totals
    from feeds_delivered
    left join calendars
        on
            feeds_delivered.partner_id = calendars.district_id
            and feeds_delivered.school_year = calendars.school_year
    group by feeds_delivered.partner_id, feeds_delivered.school_year

),

missing_feeds as (

    select
        partner_id,
        school_year,
        case
            when has_events then 'calendar_days'
            when has_calendar then 'attendance_events'
            else 'calendar_days, attendance_events'
        end as missing_feeds
    from years
    where has_enrollments and not has_totals and not (has_calendar and has_events)

)

select * from missing_feeds
