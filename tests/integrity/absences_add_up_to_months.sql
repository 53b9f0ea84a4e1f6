/*
What it checks: the days absent of each student and month add up to the absences of the
month, except for months that the district reported as totals.
When it matters: always; a difference means that the two marts count different days.
How to resolve it: compare fct_absences with int_absence_calendars for one of the listed
students, then the months with int_attendance_months.
*/
with

absences as (

    select
        student_key,
        cast(date_trunc('month', calendar_date) as date) as month,
        sum(day_fraction) filter (where is_excused) as days_excused,
        sum(day_fraction) filter (where not is_excused) as days_unexcused
    from {{ ref('fct_absences') }}
    group by student_key, month

),

months as (

    select months.*
    from {{ ref('fct_attendance_months') }} as months
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
