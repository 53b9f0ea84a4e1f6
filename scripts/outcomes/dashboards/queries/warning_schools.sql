-- Where no flag of a kind is known, its number is not known either.
select
    coalesce(schools.school_name, 'School ' || warnings.school_code) as school,
    districts.district_name as district,
    count(*) as students,
    count(has_warning) as known_for,
    case when count(has_warning) > 0 then count(*) filter (where has_warning) end
        as with_a_warning,
    case when count(has_warning) > 0 then count(*) filter (where new_flags is not null) end
        as new_since_last_delivery,
    case when count(has_attendance_flag) > 0 then count(*) filter (where has_attendance_flag) end
        as attendance,
    case when count(has_behavior_flag) > 0 then count(*) filter (where has_behavior_flag) end
        as behavior,
    case when count(has_course_flag) > 0 then count(*) filter (where has_course_flag) end
        as courses,
    case when count(has_gpa_flag) > 0 then count(*) filter (where has_gpa_flag) end
        as grade_average
from rpt_early_warnings as warnings
inner join dim_districts as districts on warnings.district_id = districts.district_id
left join dim_schools as schools
    on
        warnings.district_id = schools.district_id
        and warnings.school_code = schools.school_code
where
    is_latest_week
    and %(district)s in ('all', warnings.district_id)
    and %(school)s in ('all', warnings.district_id || ':' || warnings.school_code)
group by warnings.district_id, districts.district_name, warnings.school_code, schools.school_name
order by with_a_warning desc nulls last, school, district
