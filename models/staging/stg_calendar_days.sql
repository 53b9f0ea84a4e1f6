with

calendar_days as (

    select * from {{ source('raw', 'calendar_days') }}

),

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

decoded as (

    select distinct on (
        calendar_days.partner_id, calendar_days.school_code, calendar_days.calendar_date
    )
        calendar_days.partner_id as district_id,
        calendar_days.school_code,
        calendar_days.school_name,
        snapshots.school_year,
        calendar_days.calendar_date,
        session_flags.code = 'yes' as is_in_session
    from calendar_days
    inner join snapshots on calendar_days.load_id = snapshots.load_id
    {{ join_meaning('session_flags', 'yes_no', 'calendar_days', 'in_session') }}
    order by
        calendar_days.partner_id,
        calendar_days.school_code,
        calendar_days.calendar_date,
        calendar_days.line_number desc

)

select * from decoded
