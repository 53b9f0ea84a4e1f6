-- A cohort by school year: together, and with and without services by the end of its base year.
select
    (follow_up_year - 1) || '–' || right(follow_up_year::text, 2)
    || case when is_complete_year then '' else ' so far' end as school_year,
    case
        when group_type = 'all' then 'All'
        when group_value = 'involved' then 'With services'
        else 'Others'
    end as students,
    group_type,
    is_complete_year,
    known_through,
    n_students as people,
    n_enrolled as enrolled,
    n_graduated as graduated,
    n_not_enrolled as not_enrolled_here,
    n_in_another_district as in_another_district,
    100 * share_chronically_absent_federal as absent_share,
    coalesce(to_char(100 * attendance_rate, 'FM990.0 "%%"'), 'too few') as attendance,
    coalesce(to_char(100 * share_chronically_absent_federal, 'FM990.0 "%%"'), 'too few')
        as "absent 10 %% or more",
    n_with_attendance as with_known_attendance,
    coalesce(to_char(gpa, 'FM0.00'), 'too few') as grade_average,
    n_with_gpa as with_known_grades,
    coalesce(to_char(100 * share_involved, 'FM990.0 "%%"'), 'too few or not known')
        as with_services_this_year,
    n_juvenile_justice as first_juvenile_justice_record
from rpt_cohort_trajectories
where base_year::text = %(base_year)s and group_type in ('all', 'involvement')
order by group_type, group_value, follow_up_year
