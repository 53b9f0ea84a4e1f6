select
    partner_id,
    load_id,
    line_number,
    intervention_code,
    intervention_name,
    district_id,
    district_student_id,
    started_on,
    ended_on
from {{ source('raw', 'intervention_rosters') }}
