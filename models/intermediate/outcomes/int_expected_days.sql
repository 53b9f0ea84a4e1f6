with

as_of as (

    select * from {{ ref('int_as_of') }}

),

outcomes as (

    select outcomes.*
    from {{ ref('int_student_year_outcomes') }} as outcomes
    inner join as_of using (school_year)
    where outcomes.days_enrolled is not null

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}
    where not is_no_show

),

calendar_days as (

    select * from {{ ref('int_calendar_days_accepted') }}
    where is_in_session

),

school_year_lengths as (

    select * from {{ ref('school_year_lengths') }}

),

-- Students who have left have no remaining days.
enrolled_now as (

    select distinct
        spells.district_id,
        spells.district_student_id
    from spells
    inner join as_of using (school_year)
    where coalesce(spells.exit_date, 'infinity') >= as_of.as_of_date

),

sessions as (

    select
        district_id,
        school_year,
        school_code,
        count(*) as days_in_session
    from calendar_days
    group by district_id, school_year, school_code

),

-- The days of a school without a calendar are those of its longest enrolled student.
sessions_so_far as (

    select
        outcomes.district_id,
        outcomes.district_student_id,
        outcomes.school_year,
        outcomes.days_enrolled,
        coalesce(
            sessions.days_in_session,
            max(outcomes.days_enrolled) over (
                partition by outcomes.district_id, outcomes.school_code
            )
        ) as days_in_session
    from outcomes
    left join sessions using (district_id, school_year, school_code)

),

expected_days as (

    select
        sessions_so_far.district_id,
        sessions_so_far.district_student_id,
        sessions_so_far.school_year,
        sessions_so_far.days_enrolled + greatest(
            school_year_lengths.days_in_session - sessions_so_far.days_in_session, 0
        ) as days_enrolled_expected
    from sessions_so_far
    inner join enrolled_now using (district_id, district_student_id)
    inner join school_year_lengths
        on {{ in_force('school_year_lengths', 'sessions_so_far.school_year') }}

)

select * from expected_days
