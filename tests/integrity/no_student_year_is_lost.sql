/*
What it checks: every enrollment spell that is not a no-show has a student-year, and
every student-year has a spell.
When it matters: always; a lost student-year removes a child from every measure.
How to resolve it: follow the student from int_enrollments_accepted through
int_student_years to fct_student_years, and find the join that drops the row.
*/
with

enrolled as (

    select distinct
        student_key,
        school_year
    from {{ ref('fct_enrollments') }}

)

select
    coalesce(enrolled.student_key, student_years.student_key) as student_key,
    coalesce(enrolled.school_year, student_years.school_year) as school_year
from enrolled
full join {{ ref('fct_student_years') }} as student_years
    on
        enrolled.student_key = student_years.student_key
        and enrolled.school_year = student_years.school_year
where enrolled.student_key is null or student_years.student_key is null
