with

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

contract_feeds as (

    select * from {{ ref('stg_contract_feeds') }}

),

-- The calendar may come from a file or from the contract.
calendars as (

    select distinct
        district_id,
        school_year
    from {{ ref('stg_calendar_days') }}

),

feeds_delivered as (

    select
        snapshots.partner_id,
        snapshots.school_year,
        bool_or(contract_feeds.feed = 'enrollments') as has_enrollments,
        bool_or(calendars.district_id is not null) as has_calendar,
        bool_or(contract_feeds.feed = 'attendance_events') as has_events,
        bool_or(contract_feeds.feed = 'attendance_totals') as has_totals
    from snapshots
    inner join contract_feeds
        on
            snapshots.partner_id = contract_feeds.partner_id
            and snapshots.contract_object = contract_feeds.contract_object
    left join calendars
        on
            snapshots.partner_id = calendars.district_id
            and snapshots.school_year = calendars.school_year
    where snapshots.school_year is not null
    group by snapshots.partner_id, snapshots.school_year

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
    from feeds_delivered
    where has_enrollments and not has_totals and not (has_calendar and has_events)

)

select * from missing_feeds
