/*
What it checks: the months of each student-year add up to its days enrolled and absent.
When it matters: before attendance figures are used; a difference means that days were
lost or counted twice between two marts.
How to resolve it: compare int_attendance_months with int_student_year_outcomes for one
of the listed students.
*/
with

months as (

    select
        student_key,
        school_year,
        sum(days_enrolled) as days_enrolled,
        sum(days_absent) as days_absent
    from {{ ref('fct_attendance_months') }}
    group by student_key, school_year

)

select
    student_years.student_key,
    student_years.school_year,
    student_years.days_enrolled,
    months.days_enrolled as days_enrolled_in_months,
    student_years.days_absent,
    months.days_absent as days_absent_in_months
from {{ ref('fct_student_years') }} as student_years
left join months
    on
        student_years.student_key = months.student_key
        and student_years.school_year = months.school_year
where
    case
        -- Which absences were excused is known only of absences by day or month.
        when student_years.days_absent_excused is not null
            then
                student_years.days_enrolled <> coalesce(months.days_enrolled, 0)
                or student_years.days_absent <> coalesce(months.days_absent, 0)
        -- A district that sends the days of a whole year does not tell their months.
        else months.days_absent is not null
    end
