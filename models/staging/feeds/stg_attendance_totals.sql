select
    partner_id,
    load_id,
    line_number,
    district_student_id,
    month,
    days_enrolled,
    days_excused,
    days_unexcused
from {{ source('raw', 'attendance_totals') }}
