/*
What it checks: a student has each day in at most one row of int_absence_calendars.
When it matters: always; a day in two rows would count as two days absent.
How to resolve it: look at the order in which int_absence_calendars chooses the absence
of a day; each combination of day fraction and excuse needs its own position in it.
*/
select
    district_id,
    district_student_id,
    school_year,
    sum(bit_count(absent_days)) as days_counted,
    bit_count(bit_or(absent_days)) as days_absent
from {{ ref('int_absence_calendars') }}
group by district_id, district_student_id, school_year
having sum(bit_count(absent_days)) <> bit_count(bit_or(absent_days))
