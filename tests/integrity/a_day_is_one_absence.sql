/*
What it checks: no day stands in two rows of int_absence_calendars of a student.
When it matters: always; such a day would be counted as two days absent.
How to resolve it: look at the order in which int_absence_calendars lets an absence
take a day; every part of the day and excuse needs its own place in it.
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
