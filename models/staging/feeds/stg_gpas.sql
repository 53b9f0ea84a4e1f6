select
    partner_id,
    load_id,
    line_number,
    district_student_id,
    state_student_id,
    school_year,
    marking_period,
    gpa,
    weighted_gpa
from {{ source('raw', 'gpas') }}
