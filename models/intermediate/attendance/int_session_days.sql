with

calendar_days as (

    select * from {{ ref('int_calendar_days_accepted') }}

),

-- Days on which any school of the district was in session.
sessions as (

    select distinct
        district_id,
        school_year,
        calendar_date
    from calendar_days
    where is_in_session

),

school_years as (

    select distinct
        district_id,
        school_year
    from sessions

),

days as (

    select
        school_years.district_id,
        school_years.school_year,
        cast(days.calendar_date as date) as calendar_date
    from school_years
    cross join
        lateral generate_series(
            make_date(school_years.school_year - 1, 7, 1),
            make_date(school_years.school_year, 6, 30),
            interval '1 day'
        ) as days (calendar_date)

),

numbered as (

    select
        days.district_id,
        days.school_year,
        days.calendar_date,
        sessions.calendar_date is not null as is_in_session,
        count(sessions.calendar_date)
            over (partition by days.district_id order by days.calendar_date)
            as last_session
    from days
    left join sessions using (district_id, school_year, calendar_date)

),

session_days as (

    select
        district_id,
        school_year,
        calendar_date,
        cast(last_session as integer) as last_session,
        cast(
            last_session + case when is_in_session then 0 else 1 end as integer
        ) as next_session
    from numbered

)

select * from session_days
