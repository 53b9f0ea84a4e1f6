-- Where no grade average or attendance is known, nobody's is known to be too low.
select
    'Class of ' || class_year as class,
    count(*) as students,
    count(*) filter (where is_promise_within_reach) as within_reach,
    case when not bool_and(is_gpa_missing) then count(*) filter (where gpa_points_short > 0) end
        as grade_average_too_low,
    count(*) filter (where is_gpa_missing) as grade_average_missing,
    case
        when not bool_and(is_attendance_missing)
            then count(*) filter (where attendance_share_short > 0)
    end as attendance_too_low,
    count(*) filter (where is_attendance_missing) as attendance_missing,
    count(*) filter (where is_continuity_broken) as not_continuously_enrolled
from rpt_promise_pipeline
where
    school_year = (select max(school_year) from rpt_promise_pipeline)
    and %(district)s in ('all', district_id)
    and %(school)s in ('all', district_id || ':' || school_code)
group by class_year
order by class_year
