-- Where nothing is known of anybody, the number of warnings is not known either.
select
    grade_label as grade,
    count(*) as students,
    count(has_warning) as known_for,
    case when count(has_warning) > 0 then count(*) filter (where has_warning) end
        as with_a_warning
from rpt_early_warnings as warnings
where
    is_latest_week
    and %(district)s in ('all', district_id)
    and %(school)s in ('all', district_id || ':' || school_code)
group by warnings.grade, grade_label
order by warnings.grade
