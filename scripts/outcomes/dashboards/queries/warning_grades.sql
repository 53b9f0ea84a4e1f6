select
    grade_label as grade,
    count(*) as students,
    count(*) filter (
        where
        has_attendance_flag is true or has_behavior_flag is true
        or has_course_flag is true or has_gpa_flag is true
    ) as with_a_warning
from rpt_early_warnings as warnings
where
    is_latest_week
    and %(district)s in ('all', district_id)
    and %(school)s in ('all', district_id || ':' || school_code)
group by warnings.grade, grade_label
order by warnings.grade
