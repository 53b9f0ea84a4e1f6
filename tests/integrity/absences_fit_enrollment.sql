/*
What it checks: nobody is absent for more days than enrolled, and the two kinds of
absence add up to all of them.
When it matters: before any attendance figure is shown. Districts that report monthly
totals can send such a month themselves.
How to resolve it: where the district counts events, int_absence_calendars counts a
day twice; where it sends totals, ask the district to correct the month.
*/
select
    student_key,
    school_year,
    days_enrolled,
    days_absent
from {{ ref('fct_student_years') }}
where
    days_absent > days_enrolled
    or days_absent <> days_absent_excused + days_absent_unexcused
