with

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

calendar_days as (

    select * from {{ ref('stg_calendar_days') }}

),

-- The calendar ends at the last day that the school has reported, and so do the days.
-- A day that is enrolled twice, by overlapping spells or at two schools, is one day.
enrollment_days as (

    select distinct
        spells.district_id,
        spells.district_student_id,
        spells.school_year,
        calendar_days.calendar_date
    from spells
    inner join calendar_days
        on
            spells.district_id = calendar_days.district_id
            and spells.school_year = calendar_days.school_year
            and spells.school_code = calendar_days.school_code
            and spells.entry_date <= calendar_days.calendar_date
            and coalesce(spells.exit_date, 'infinity') >= calendar_days.calendar_date
    where
        not spells.is_no_show
        and calendar_days.is_in_session

)

select * from enrollment_days
