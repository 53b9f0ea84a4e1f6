/*
What it checks: the days absent of each student and month add up to the absences of the
month, except for months that the district reported as totals or that are unknown.
When it matters: always; a difference means that the two marts count different days.
How to resolve it: compare fct_absences with int_absence_calendars for one of the listed
students, then the months with int_attendance_months.
*/
with

students_with_known_absences as (

    select * from {{ ref('int_days_known') }}
    where has_absences

),

absences as (

    select
        absences.student_key,
        cast(date_trunc('month', absences.calendar_date) as date) as month,
        sum(absences.day_fraction) filter (where absences.is_excused) as days_excused,
        sum(absences.day_fraction) filter (where not absences.is_excused)
            as days_unexcused
    from {{ ref('fct_absences') }} as absences
    inner join students_with_known_absences
        using (district_id, district_student_id, school_year)
    group by absences.student_key, month

),

months as (

    select months.*
    from {{ ref('fct_attendance_months') }} as months
    inner join students_with_known_absences
        using (district_id, district_student_id, school_year)
    left join {{ ref('int_attendance_totals_accepted') }} as totals
        using (district_id, district_student_id, month)
    where totals.month is null

)

select
    student_key,
    month,
    absences.days_excused,
    months.days_absent_excused,
    absences.days_unexcused,
    months.days_absent_unexcused
from absences
full join months using (student_key, month)
where
    coalesce(absences.days_excused, 0) is distinct from months.days_absent_excused
    or coalesce(absences.days_unexcused, 0)
    is distinct from months.days_absent_unexcused
