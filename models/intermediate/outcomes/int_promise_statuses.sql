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
