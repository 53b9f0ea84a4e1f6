-- How many students each kind of warning is for, of how many of whom it is known.
with

kinds as (

    select
        kinds.position,
        kinds.name,
        kinds.warning,
        kinds.needs,
        kinds.has_flag,
        warnings.new_flags ~ kinds.name as is_new,
        coalesce(warnings.flags_without_threshold ~ kinds.name, false) as is_without_threshold
    from rpt_early_warnings as warnings
    cross join lateral (
        values
        (1, 'Attendance', 'attendance', 'attendance', has_attendance_flag),
        (2, 'Behavior', 'behavior', 'discipline', has_behavior_flag),
        (3, 'Courses', 'course', 'course marks', has_course_flag),
        (4, 'Grade average', 'gpa', 'grade averages', has_gpa_flag)
    ) as kinds (position, warning, name, needs, has_flag)
    where
        is_latest_week
        and %(district)s in ('all', district_id)
        and %(school)s in ('all', district_id || ':' || school_code)
)

select
    warning,
    case when count(has_flag) > 0 then count(*) filter (where has_flag) end as students,
    case when count(has_flag) > 0 then count(*) filter (where is_new) end
        as new_since_last_delivery,
    count(has_flag) as known_for,
    count(*) filter (where has_flag is null) as not_known_for,
    concat_ws(
        '; ',
        'no threshold for the grade: '
        || nullif(count(*) filter (where has_flag is null and is_without_threshold), 0),
        'no ' || needs || ' delivered: '
        || nullif(count(*) filter (where has_flag is null and not is_without_threshold), 0)
    ) as why_not_known,
    name
from kinds
group by position, name, warning, needs
order by position
