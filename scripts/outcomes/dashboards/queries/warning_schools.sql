-- Where no flag of a kind is known, its number is not known either.
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
    coalesce(schools.school_name, 'School ' || latest.school_code) as school,
    districts.district_name as district,
    count(*) as students,
    count(*) filter (where is_known) as known_for,
    case when bool_or(is_known) then count(*) filter (where has_warning) end as with_a_warning,
    case when bool_or(is_known) then count(*) filter (where new_flags is not null) end
        as new_since_last_delivery,
    case when count(has_attendance_flag) > 0 then count(*) filter (where has_attendance_flag) end
        as attendance,
    case when count(has_behavior_flag) > 0 then count(*) filter (where has_behavior_flag) end
        as behavior,
    case when count(has_course_flag) > 0 then count(*) filter (where has_course_flag) end
        as courses,
    case when count(has_gpa_flag) > 0 then count(*) filter (where has_gpa_flag) end
        as grade_average
from latest
inner join dim_districts as districts on latest.district_id = districts.district_id
left join dim_schools as schools
    on
        latest.district_id = schools.district_id
        and latest.school_code = schools.school_code
group by latest.district_id, districts.district_name, latest.school_code, schools.school_name
order by with_a_warning desc nulls last, school, district
