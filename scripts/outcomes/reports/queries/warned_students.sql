-- The students with a warning in the last full week of their district. Where there is no flag,
-- the cell says why.
select
    students.last_name,
    students.first_name,
    warnings.district_student_id,
    warnings.district_id,
    districts.district_name as district,
    coalesce(schools.school_name, 'School ' || warnings.school_code) as school,
    grade_label as grade,
    coalesce(new_flags, 'nothing') as new_since_last_delivery,
    case
        when has_attendance_flag then 'since ' || attendance_flag_since
        when not has_attendance_flag then 'no warning'
        when flags_without_threshold ~ 'attendance' then 'no threshold'
        else 'no data'
    end as attendance,
    case
        when has_behavior_flag then 'since ' || behavior_flag_since
        when not has_behavior_flag then 'no warning'
        when flags_without_threshold ~ 'behavior' then 'no threshold'
        else 'no data'
    end as behavior,
    case
        when has_course_flag then 'since ' || course_flag_since
        when not has_course_flag then 'no warning'
        when flags_without_threshold ~ 'course' then 'no threshold'
        else 'no data'
    end as courses,
    case
        when has_gpa_flag then 'since ' || gpa_flag_since
        when not has_gpa_flag then 'no warning'
        when flags_without_threshold ~ 'gpa' then 'no threshold'
        else 'no data'
    end as grade_average,
    days_absent,
    days_enrolled,
    to_char(100 * absence_share, 'FM990.0 "%%"') as absent,
    to_char(round(100 * absence_share_change, 1), 'FMSG990.0 "points"')
        as absent_change_in_four_weeks
from rpt_early_warnings as warnings
inner join dim_students as students using (student_key)
inner join dim_districts as districts on warnings.district_id = districts.district_id
left join dim_schools as schools
    on
        warnings.district_id = schools.district_id
        and warnings.school_code = schools.school_code
where
    warnings.is_latest_week
    and has_warning
    and %(district)s in ('all', warnings.district_id)
    and %(school)s in ('all', warnings.district_id || ':' || warnings.school_code)
    and case %(kind)s
        when 'all' then true
        when 'new' then new_flags is not null
        when 'attendance' then has_attendance_flag
        when 'behavior' then has_behavior_flag
        when 'course' then has_course_flag
        when 'gpa' then has_gpa_flag
    end
order by new_flags is null, district, school, warnings.grade, last_name, first_name
