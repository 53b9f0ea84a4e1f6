-- Students of the last full week, with and without services so far; both, also if one is empty.
select
    groups.label as group_of_students,
    count(warnings.student_key) as students,
    count(warnings.has_warning) as known_for,
    count(*) filter (where warnings.has_warning) as with_a_warning,
    count(*) filter (where new_flags is not null) as newly_at_risk,
    count(risks.is_on_course_federal) as with_known_absences,
    count(*) filter (where risks.is_on_course_federal) as on_course_for_chronic_absence
from (values ('With services', true), ('Others', false)) as groups (label, involved_ever)
left join fct_student_years as years using (involved_ever)
left join rpt_early_warnings as warnings using (student_key, school_year)
left join rpt_absence_risks as risks on warnings.student_key = risks.student_key
group by groups.label, groups.involved_ever
order by groups.involved_ever desc
