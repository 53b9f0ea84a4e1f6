/*
What it checks: days absent do not exceed days enrolled, and excused and unexcused days
add up to the days absent.
When it matters: before attendance figures are used. Districts that report monthly
totals can send such a month.
How to resolve it: if the district sends daily events, int_absence_calendars counts a
day twice. If it sends totals, ask the district to correct the month.
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
