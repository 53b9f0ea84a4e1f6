with

outcomes as (

    select * from {{ ref('int_student_year_outcomes') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}
    where not is_no_show

),

calendar_days as (

    select * from {{ ref('stg_calendar_days') }}

),

promise_districts as (

    select * from {{ ref('promise_districts') }}

),

promise_rules as (

    select * from {{ ref('promise_rules') }}

),

enrollment_codes as (

    select * from {{ ref('enrollment_codes') }}

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
        outcomes.gpa,
        outcomes.days_enrolled,
        {% if var('promise_attendance_counts') == 'all' %}
        outcomes.days_absent as days_counted_absent,
        {% else %}
        outcomes.days_absent_unexcused as days_counted_absent,
        {% endif %}
        coalesce(enrollment_codes.is_graduation, false) as is_graduate,
        coalesce(enrollment_codes.breaks_continuity, false) as has_left,
        promise_districts.max_hole_days,
        promise_rules.class_year,
        promise_rules.gpa_min,
        promise_rules.extension_gpa_min,
        promise_rules.attendance_min,
        history.first_school_year <= outcomes.school_year - (outcomes.grade - 9)
            as history_is_complete,
        greatest(
            history.first_school_year, outcomes.school_year - (outcomes.grade - 9)
        ) as first_school_year
    from outcomes
    inner join promise_districts on outcomes.district_id = promise_districts.district_id
    inner join promise_rules
        on outcomes.school_year + 12 - outcomes.grade = promise_rules.class_year
    inner join history on outcomes.district_id = history.district_id
    left join enrollment_codes on outcomes.exit_code = enrollment_codes.code
    where outcomes.grade >= 9

),

-- Days on which any school of the district was in session, numbered across years.
session_days as (

    select
        district_id,
        school_year,
        calendar_date,
        row_number() over (partition by district_id order by calendar_date)
            as session_number
    from calendar_days
    where is_in_session
    group by district_id, school_year, calendar_date

),

session_years as (

    select
        district_id,
        school_year,
        min(calendar_date) as first_day,
        max(calendar_date) as last_day,
        min(session_number) as first_session
    from session_days
    group by district_id, school_year

),

-- For every calendar day, the numbers of the last session before or on it and of the
-- next session on or after it. Spells join on their two dates, because a range join
-- takes minutes for a county.
numbered_days as (

    select
        session_years.district_id,
        session_years.school_year,
        cast(days.day as date) as day,
        session_years.first_session - 1
        + count(session_days.session_number) over until_day as last_session,
        session_years.first_session
        + count(session_days.session_number) over until_day
        - case when session_days.session_number is null then 0 else 1 end
            as next_session
    from session_years
    cross join
        lateral generate_series(
            session_years.first_day, session_years.last_day, interval '1 day'
        ) as days (day)
    left join session_days
        on
            session_years.district_id = session_days.district_id
            and session_years.school_year = session_days.school_year
            and days.day = session_days.calendar_date
    window
        until_day as (
            partition by session_years.district_id, session_years.school_year
            order by days.day
        )

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
    inner join session_years
        on
            spells.district_id = session_years.district_id
            and spells.school_year = session_years.school_year
    inner join numbered_days as entry_days
        on
            spells.district_id = entry_days.district_id
            and spells.school_year = entry_days.school_year
            and greatest(spells.entry_date, session_years.first_day)
            = entry_days.day
    inner join numbered_days as exit_days
        on
            spells.district_id = exit_days.district_id
            and spells.school_year = exit_days.school_year
            and least(spells.exit_date, session_years.last_day) = exit_days.day
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
            first_years.first_session - 1
        ) as hole_days
    from candidates
    inner join covered_sessions
        on
            candidates.district_id = covered_sessions.district_id
            and candidates.district_student_id = covered_sessions.district_student_id
            and candidates.first_school_year <= covered_sessions.school_year
            and candidates.school_year >= covered_sessions.school_year
    inner join session_years as first_years
        on
            candidates.district_id = first_years.district_id
            and candidates.first_school_year = first_years.school_year

),

continuity as (

    select
        district_id,
        district_student_id,
        school_year,
        count(distinct covered_year) as years_enrolled,
        max(hole_days) as largest_hole_days
    from holes
    group by district_id, district_student_id, school_year

),

conditions as (

    select
        candidates.*,
        candidates.gpa is not null
        and coalesce(candidates.days_enrolled > 0, false)
        and candidates.days_counted_absent is not null as is_known,
        candidates.days_enrolled - candidates.days_counted_absent
        >= candidates.attendance_min * candidates.days_enrolled as attended,
        not candidates.has_left
        and coalesce(
            continuity.years_enrolled
            = candidates.school_year - candidates.first_school_year + 1
            and continuity.largest_hole_days <= candidates.max_hole_days,
            false
        ) as stayed
    from candidates
    left join continuity
        on
            candidates.district_id = continuity.district_id
            and candidates.district_student_id = continuity.district_student_id
            and candidates.school_year = continuity.school_year

),

promise_statuses as (

    select
        district_id,
        district_student_id,
        school_year,
        history_is_complete,
        class_year,
        gpa_min,
        extension_gpa_min,
        attendance_min,
        days_counted_absent,
        is_graduate,
        attended,
        stayed,
        case
            when not is_known then 'unknown'
            when attended and stayed and gpa >= gpa_min
                then case when is_graduate then 'eligible' else 'on_track' end
            when attended and stayed and gpa >= extension_gpa_min
                then
                    case
                        when is_graduate then 'extension' else 'on_track_extension'
                    end
            when is_graduate then 'not_eligible'
            else 'off_track'
        end as promise_status
    from conditions

)

select * from promise_statuses
