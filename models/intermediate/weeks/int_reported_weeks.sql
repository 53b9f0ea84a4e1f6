with

as_of as (

    select * from {{ ref('int_as_of') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

file_feeds as (

    select * from {{ ref('int_file_feeds') }}

),

-- A delivery covers its school week if it comes on the week's Friday or later. In
-- summer the last week is that of June 30.
covered_weeks as (

    select distinct
        deliveries.partner_id as district_id,
        file_feeds.feed,
        cast(
            date_trunc(
                'week',
                least(deliveries.as_of_date, make_date(as_of.school_year, 6, 30)) - 4
            ) as date
        ) as week_starts_on
    from deliveries
    inner join file_feeds on deliveries.load_id = file_feeds.file_id
    cross join as_of
    where deliveries.as_of_date >= make_date(as_of.school_year - 1, 7, 1)

),

ranked_weeks as (

    select
        *,
        dense_rank() over (partition by district_id order by week_starts_on desc)
            as weeks_back
    from covered_weeks

),

reported_weeks as (

    select
        district_id,
        max(week_starts_on) as week_starts_on,
        max(week_starts_on) filter (where weeks_back > 1) as previous_week,
        max(week_starts_on) filter (
            where weeks_back > 1 and feed in ('attendance_events', 'attendance_totals')
        ) as previous_attendance_week,
        max(week_starts_on) filter (
            where weeks_back > 1 and feed = 'discipline_actions'
        ) as previous_discipline_week
    from ranked_weeks
    group by district_id

)

select * from reported_weeks
