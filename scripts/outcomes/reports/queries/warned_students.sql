-- The students with a warning in the last full week of their district. Where there is no flag,
-- the cell says why.
with

flagged as (

    select
        warnings.*,
        districts.district_name,
        students.last_name,
        students.first_name,
        coalesce(schools.school_name, 'School ' || warnings.school_code) as school,
        thresholds.absence_share_min,
        thresholds.suspension_days_min,
        thresholds.courses_failed_min,
        thresholds.gpa_max
    from rpt_early_warnings as warnings
    inner join dim_students as students using (student_key)
    inner join dim_districts as districts
        on warnings.district_id = districts.district_id
    left join dim_schools as schools
        on
            warnings.district_id = schools.district_id
            and warnings.school_code = schools.school_code
    left join early_warning_thresholds as thresholds
        on
            warnings.grade_band = thresholds.grade_band
            and warnings.school_year between coalesce(thresholds.first_school_year, 0)
            and coalesce(thresholds.last_school_year, 9999)
    where warnings.is_latest_week
)

select
    last_name,
    first_name,
    district_student_id,
    district_id,
    district_name as district,
    school,
    grade_label as grade,
    coalesce(new_flags, 'nothing') as new_since_last_delivery,
    case
        when has_attendance_flag then 'since ' || attendance_flag_since
        when not has_attendance_flag then 'no warning'
        when absence_share_min is null then 'no threshold'
        else 'no data'
    end as attendance,
    case
        when has_behavior_flag then 'since ' || behavior_flag_since
        when not has_behavior_flag then 'no warning'
        when suspension_days_min is null then 'no threshold'
        else 'no data'
    end as behavior,
    case
        when has_course_flag then 'since ' || course_flag_since
        when not has_course_flag then 'no warning'
        when courses_failed_min is null then 'no threshold'
        else 'no data'
    end as courses,
    case
        when has_gpa_flag then 'since ' || gpa_flag_since
        when not has_gpa_flag then 'no warning'
        when gpa_max is null then 'no threshold'
        else 'no data'
    end as grade_average,
    days_absent,
    days_enrolled,
    to_char(100 * absence_share, 'FM990.0 "%%"') as absent,
    to_char(100 * absence_share_change, 'FMSG990.0 "points"') as absent_change_in_four_weeks
from flagged
where
    has_warning
    and %(district)s in ('all', district_id)
    and %(school)s in ('all', district_id || ':' || school_code)
    and case %(kind)s
        when 'all' then true
        when 'new' then new_flags is not null
        when 'attendance' then has_attendance_flag
        when 'behavior' then has_behavior_flag
        when 'course' then has_course_flag
        when 'gpa' then has_gpa_flag
    end
order by new_flags is null, district_name, school, flagged.grade, last_name, first_name
