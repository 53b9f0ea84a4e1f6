-- How many students each kind of warning is for, of how many of whom it is known.
with

latest as (

    select
        warnings.*,
        thresholds.absence_share_min,
        thresholds.suspension_days_min,
        thresholds.courses_failed_min,
        thresholds.gpa_max
    from rpt_early_warnings as warnings
    left join early_warning_thresholds as thresholds
        on
            warnings.grade_band = thresholds.grade_band
            and warnings.school_year between coalesce(thresholds.first_school_year, 0)
            and coalesce(thresholds.last_school_year, 9999)
    where
        is_latest_week
        and %(district)s in ('all', district_id)
        and %(school)s in ('all', district_id || ':' || school_code)
),

kinds as (

    select
        kinds.position,
        kinds.name,
        kinds.warning,
        kinds.needs,
        kinds.has_flag,
        kinds.threshold,
        latest.new_flags ~ kinds.name as is_new
    from latest
    cross join lateral (
        values
        (1, 'Attendance', 'attendance', 'attendance', has_attendance_flag, absence_share_min),
        (2, 'Behavior', 'behavior', 'discipline', has_behavior_flag, suspension_days_min),
        (3, 'Courses', 'course', 'course marks', has_course_flag, courses_failed_min),
        (4, 'Grade average', 'gpa', 'grade averages', has_gpa_flag, gpa_max)
    ) as kinds (position, warning, name, needs, has_flag, threshold)
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
        || nullif(count(*) filter (where has_flag is null and threshold is null), 0),
        'no ' || needs || ' delivered: '
        || nullif(count(*) filter (where has_flag is null and threshold is not null), 0)
    ) as why_not_known,
    name
from kinds
group by position, name, warning, needs
order by position
