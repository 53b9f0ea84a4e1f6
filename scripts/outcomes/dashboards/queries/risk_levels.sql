-- Students of the last full week, with and without services so far.
select
    case when years.involved_ever then 'With services' else 'Others' end as group_of_students,
    count(*) as students,
    count(*) filter (
        where
        has_attendance_flag is true or has_behavior_flag is true
        or has_course_flag is true or has_gpa_flag is true
    ) as with_a_warning,
    count(*) filter (where new_flags is not null) as newly_at_risk,
    count(risks.*) as with_known_absences,
    count(*) filter (where risks.is_on_course_federal) as on_course_for_chronic_absence
from rpt_early_warnings as warnings
inner join fct_student_years as years using (student_key, school_year)
left join rpt_absence_risks as risks using (student_key)
group by years.involved_ever
order by years.involved_ever desc
