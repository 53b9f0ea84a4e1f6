with

outcomes as (

    select * from {{ ref('int_student_year_outcomes') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}
    where not is_no_show

),

session_days as (

    select * from {{ ref('int_session_days') }}

),

promise_districts as (

    select * from {{ ref('promise_districts') }}

),

history as (

    select
        district_id,
        min(school_year) as first_school_year
    from spells
    group by district_id

),

-- The relevant history starts with grade 9, or with the district's first data.
candidates as (

    select
        outcomes.district_id,
        outcomes.district_student_id,
        outcomes.school_year,
        promise_districts.max_hole_days,
        history.first_school_year <= outcomes.school_year - (outcomes.grade - 9)
            as history_is_complete,
        greatest(
            history.first_school_year, outcomes.school_year - (outcomes.grade - 9)
        ) as first_school_year
    from outcomes
    inner join promise_districts using (district_id)
    inner join history using (district_id)
    where outcomes.grade >= 9

),

first_sessions as (

    select
        district_id,
        school_year,
        min(next_session) as first_session
    from session_days
    group by district_id, school_year

),

-- The sessions of each spell. An open spell runs to the end of the year.
covered_sessions as (

    select
        spells.district_id,
        spells.district_student_id,
        spells.school_year,
        entry_days.next_session as first_session,
        exit_days.last_session
    from spells
    inner join session_days as entry_days
        on
            spells.district_id = entry_days.district_id
            and spells.school_year = entry_days.school_year
            and greatest(spells.entry_date, make_date(spells.school_year - 1, 7, 1))
            = entry_days.calendar_date
    inner join session_days as exit_days
        on
            spells.district_id = exit_days.district_id
            and spells.school_year = exit_days.school_year
            and least(spells.exit_date, make_date(spells.school_year, 6, 30))
            = exit_days.calendar_date
    where entry_days.next_session <= exit_days.last_session

),

-- A hole is the number of sessions between a spell and all spells before it, or between
-- the start of the relevant history and the first spell.
holes as (

    select
        candidates.district_id,
        candidates.district_student_id,
        candidates.school_year,
        covered_sessions.school_year as covered_year,
        covered_sessions.first_session - 1 - coalesce(
            max(covered_sessions.last_session) over (
                partition by
                    candidates.district_id,
                    candidates.district_student_id,
                    candidates.school_year
                order by covered_sessions.first_session, covered_sessions.last_session
                rows between unbounded preceding and 1 preceding
            ),
            first_sessions.first_session - 1
        ) as hole_days
    from candidates
    inner join covered_sessions
        on
            candidates.district_id = covered_sessions.district_id
            and candidates.district_student_id = covered_sessions.district_student_id
            and candidates.first_school_year <= covered_sessions.school_year
            and candidates.school_year >= covered_sessions.school_year
    inner join first_sessions
        on
            candidates.district_id = first_sessions.district_id
            and candidates.first_school_year = first_sessions.school_year

),

largest_holes as (

    select
        district_id,
        district_student_id,
        school_year,
        count(distinct covered_year) as years_enrolled,
        max(hole_days) as largest_hole_days
    from holes
    group by district_id, district_student_id, school_year

),

promise_continuity as (

    select
        candidates.district_id,
        candidates.district_student_id,
        candidates.school_year,
        candidates.history_is_complete,
        coalesce(
            largest_holes.years_enrolled
            = candidates.school_year - candidates.first_school_year + 1
            and largest_holes.largest_hole_days <= candidates.max_hole_days,
            false
        ) as is_continuous
    from candidates
    left join largest_holes using (district_id, district_student_id, school_year)

)

select * from promise_continuity
