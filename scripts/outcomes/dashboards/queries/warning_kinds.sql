-- How many students each kind of warning is for, of how many of whom it is known.
with

latest as (

    select *
    from rpt_early_warnings
    where
        is_latest_week
        and %(district)s in ('all', district_id)
        and %(school)s in ('all', district_id || ':' || school_code)
),

kinds as (

    select
        kinds.position,
        kinds.warning,
        kinds.needs,
        kinds.has_flag,
        kinds.is_known,
        latest.new_flags ~ kinds.name as is_new,
        latest.district_id
    from latest
    cross join lateral (
        values
        (1, 'Attendance', 'attendance', 'attendance', has_attendance_flag, absence_share is not null),
        (2, 'Behavior', 'behavior', 'discipline', has_behavior_flag, suspension_days is not null),
        (3, 'Courses', 'course', 'course marks', has_course_flag, courses_failed is not null),
        (4, 'Grade average', 'gpa', 'grade averages', has_gpa_flag, gpa is not null)
    ) as kinds (position, warning, name, needs, has_flag, is_known)
)

select
    warning,
    case when count(has_flag) > 0 then count(*) filter (where has_flag) end as students,
    case when count(has_flag) > 0 then count(*) filter (where is_new) end
        as new_since_last_delivery,
    count(has_flag) as known_for,
    count(*) filter (where has_flag is null) as not_known_for,
    case
        when bool_and(has_flag is not null) then ''
        when not bool_or(is_known) then 'no ' || needs || ' delivered'
        when bool_or(not is_known)
            then 'no ' || needs || ' delivered for some, or no threshold for the grade'
        else 'no threshold for the grade'
    end as why_not_known
from kinds
group by position, warning, needs
order by position
