with

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

calendar_days as (

    select * from {{ ref('int_calendar_days_accepted') }}

),

-- An open spell ends with the last day that the school has reported.
school_calendars as (

    select
        district_id,
        school_year,
        school_code,
        bit_or(
            set_bit(
                repeat('0', 366)::bit(366),
                calendar_date - make_date(school_year - 1, 7, 1),
                1
            )
        ) as session_days
    from calendar_days
    where
        is_in_session
        and calendar_date >= make_date(school_year - 1, 7, 1)
        and calendar_date <= make_date(school_year, 6, 30)
    group by district_id, school_year, school_code

),

bounded_spells as (

    select
        district_id,
        district_student_id,
        school_year,
        school_code,
        greatest(entry_date - make_date(school_year - 1, 7, 1), 0) as first_day,
        least(exit_date, make_date(school_year, 6, 30))
        - make_date(school_year - 1, 7, 1) as last_day
    from spells
    where not is_no_show

),

spell_days as (

    select
        *,
        (
            repeat('0', first_day)
            || repeat('1', last_day - first_day + 1)
            || repeat('0', 365 - last_day)
        )::bit(366) as days
    from bounded_spells
    where first_day <= last_day

),

-- A day of two spells, overlapping or at two schools, counts once.
enrollment_calendars as (

    select
        spell_days.district_id,
        spell_days.district_student_id,
        spell_days.school_year,
        bit_or(spell_days.days & school_calendars.session_days) as enrolled_days
    from spell_days
    inner join school_calendars using (district_id, school_year, school_code)
    group by
        spell_days.district_id,
        spell_days.district_student_id,
        spell_days.school_year

)

select * from enrollment_calendars
