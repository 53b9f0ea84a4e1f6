select
    partner_id,
    load_id,
    line_number,
    district_student_id,
    state_student_id,
    days_enrolled,
    days_present
from {{ source('raw', 'attendance_year_totals') }}
