-- The last twelve months of the given students.
with

months as (

    select
        *,
        max(month) over () as newest_month
    from rpt_caseworker_months
    where student_key = any(%(students)s)
)

select
    students.last_name,
    students.first_name,
    students.district_student_id,
    to_char(months.month, 'YYYY-MM') as month,
    months.days_enrolled,
    months.days_absent,
    to_char(100 * months.days_absent / nullif(months.days_enrolled, 0), 'FM990.0 "%%"') as absent,
    students.first_name || ' ' || students.last_name || ', ' || students.district_student_id
        as child,
    100 * months.days_absent / nullif(months.days_enrolled, 0) as share
from months
inner join rpt_caseworker_students as students using (student_key)
where months.month > months.newest_month - interval '12 months'
order by students.last_name, students.first_name, students.district_student_id, months.month
