with

as_of as (

    select * from {{ ref('int_as_of') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

-- A delivery covers its school week if it comes on the week's Friday or later. In
-- summer the last week is that of June 30.
covered_weeks as (

    select distinct
        deliveries.partner_id as district_id,
        cast(
            date_trunc(
                'week',
                least(deliveries.as_of_date, make_date(as_of.school_year, 6, 30)) - 4
            ) as date
        ) as week_starts_on
    from deliveries
    cross join as_of
    where deliveries.as_of_date >= make_date(as_of.school_year - 1, 7, 1)

),

ordered_weeks as (

    select
        district_id,
        week_starts_on,
        lag(week_starts_on) over by_week as previous_week,
        lead(week_starts_on) over by_week as next_week
    from covered_weeks
    window by_week as (partition by district_id order by week_starts_on)

),

reported_weeks as (

    select
        district_id,
        week_starts_on,
        previous_week
    from ordered_weeks
    where next_week is null

)

select * from reported_weeks
