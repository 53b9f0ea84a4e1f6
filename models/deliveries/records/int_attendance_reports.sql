{{ config(sql_header="set local work_mem = '256MB';") }}

with

attendance_events as (

    select * from {{ ref('stg_attendance_events') }}

),

-- Not materialized, so that parallel workers can group the events.
snapshots as not materialized (

    select
        *,
        make_date(school_year - 1, 7, 1) as first_day,
        make_date(school_year, 6, 30) as last_day
    from {{ ref('int_snapshots') }}
    where feed = 'attendance_events'

),

-- The only pass over all events. Joins and decoding come after the aggregation.
grouped as (

    select
        attendance_events.load_id,
        attendance_events.district_student_id,
        attendance_events.state_student_id,
        attendance_events.category,
        attendance_events.day_fraction,
        attendance_events.is_excused,
        count(*) as rows_reported,
        count(attendance_events.event_date) as rows_with_date,
        count(*) filter (
            where
            attendance_events.event_date
            between snapshots.first_day and snapshots.last_day
        ) as rows_of_the_year,
        bit_or(
            set_bit(
                repeat('0', 366)::bit(366),
                attendance_events.event_date - snapshots.first_day,
                1
            )
        ) filter (
            where
            attendance_events.event_date
            between snapshots.first_day and snapshots.last_day
        ) as reported_days
    from attendance_events
    inner join snapshots using (load_id)
    group by
        attendance_events.load_id,
        attendance_events.district_student_id,
        attendance_events.state_student_id,
        attendance_events.category,
        attendance_events.day_fraction,
        attendance_events.is_excused

),

attendance_reports as (

    select
        grouped.load_id,
        snapshots.partner_id,
        snapshots.school_year,
        snapshots.as_of_date,
        grouped.district_student_id,
        grouped.state_student_id,
        grouped.category,
        grouped.day_fraction,
        grouped.is_excused,
        grouped.rows_reported,
        grouped.rows_reported - grouped.rows_with_date as rows_without_date,
        grouped.rows_with_date - grouped.rows_of_the_year as rows_outside_year,
        coalesce(grouped.reported_days, repeat('0', 366)::bit(366)) as reported_days
    from grouped
    inner join snapshots using (load_id)

)

select * from attendance_reports
