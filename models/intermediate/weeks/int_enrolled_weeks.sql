with

as_of as (

    select * from {{ ref('int_as_of') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}
    where not is_no_show

),

-- A district's weeks end with its newest delivery.
district_years as (

    select * from {{ ref('int_district_years') }}

),

calendar_days as (

    select * from {{ ref('int_calendar_days_accepted') }}
    where is_in_session

),

-- Weeks start with the first day in session or, without a calendar, with July 1.
first_days as (

    select
        district_id,
        school_year,
        min(calendar_date) as calendar_date
    from calendar_days
    group by district_id, school_year

),

bounded_spells as (

    select
        spells.district_id,
        spells.district_student_id,
        spells.school_year,
        greatest(
            spells.entry_date,
            coalesce(
                first_days.calendar_date, make_date(spells.school_year - 1, 7, 1)
            )
        ) as first_day,
        least(spells.exit_date, district_years.known_through) as last_day,
        district_years.known_through
    from spells
    inner join as_of using (school_year)
    inner join district_years using (district_id, school_year)
    left join first_days using (district_id, school_year)

),

-- Two spells may share a week.
enrolled_weeks as (

    select distinct
        bounded_spells.district_id,
        bounded_spells.district_student_id,
        bounded_spells.school_year,
        cast(weeks.week_starts_on as date) as week_starts_on,
        least(
            cast(weeks.week_starts_on as date) + 6, bounded_spells.known_through
        ) as week_ends_on
    from bounded_spells
    cross join
        lateral generate_series(
            date_trunc('week', bounded_spells.first_day),
            bounded_spells.last_day,
            interval '1 week'
        ) as weeks (week_starts_on)

)

select * from enrolled_weeks
