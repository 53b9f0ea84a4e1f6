-- Where nothing is known of anybody, the number of warnings is not known either.
with

latest as (

    select
        *,
        num_nonnulls(
            has_attendance_flag, has_behavior_flag, has_course_flag, has_gpa_flag
        ) > 0 as is_known,
        has_attendance_flag or has_behavior_flag or has_course_flag or has_gpa_flag as has_warning
    from rpt_early_warnings
    where
        is_latest_week
        and %(district)s in ('all', district_id)
        and %(school)s in ('all', district_id || ':' || school_code)
)

select
    grade_label as grade,
    count(*) as students,
    count(*) filter (where is_known) as known_for,
    case when bool_or(is_known) then count(*) filter (where has_warning) end as with_a_warning
from latest
group by latest.grade, grade_label
order by latest.grade
