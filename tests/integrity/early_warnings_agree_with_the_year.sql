/*
What it checks: the newest week of a student's early warnings has the same attendance,
suspension and GPA as the student-year.
When it matters: always; a warning that contradicts the student-year is either missed or
raised without reason.
How to resolve it: compare int_student_weeks with int_attendance_months and
int_student_year_outcomes for the student; look for an event that belongs to no week.
*/
with

early_warnings as (

    select * from {{ ref('rpt_early_warnings') }}

),

newest as (

    select
        district_id,
        max(week_starts_on) as week_starts_on
    from early_warnings
    group by district_id

),

newest_weeks as (

    select early_warnings.*
    from early_warnings
    inner join newest using (district_id, week_starts_on)

),

student_years as (

    select * from {{ ref('fct_student_years') }}

)

select
    newest_weeks.student_key,
    newest_weeks.days_enrolled as week_enrolled,
    student_years.days_enrolled as year_enrolled,
    newest_weeks.days_absent as week_absent,
    student_years.days_absent as year_absent,
    newest_weeks.suspension_days as week_suspended,
    student_years.suspension_days as year_suspended,
    newest_weeks.gpa as week_gpa,
    student_years.gpa as year_gpa
from newest_weeks
left join student_years
    on
        newest_weeks.student_key = student_years.student_key
        and newest_weeks.school_year = student_years.school_year
where
    (
        -- A district that reports the days of a whole year tells neither their weeks
        -- nor which absences were excused.
        not (
            student_years.days_absent is not null
            and student_years.days_absent_excused is null
        )
        and (
            newest_weeks.days_enrolled is distinct from student_years.days_enrolled
            or newest_weeks.days_absent is distinct from student_years.days_absent
            or newest_weeks.days_absent_unexcused
            is distinct from student_years.days_absent_unexcused
        )
    )
    or newest_weeks.suspension_days <> student_years.suspension_days
    or newest_weeks.gpa is distinct from student_years.gpa
