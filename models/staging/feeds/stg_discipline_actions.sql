select
    discipline_actions.partner_id,
    discipline_actions.load_id,
    discipline_actions.line_number,
    discipline_actions.district_student_id,
    discipline_actions.state_student_id,
    discipline_actions.incident_date,
    actions.code as action,
    discipline_actions.days
from {{ source('raw', 'discipline_actions') }} as discipline_actions
{{ join_meaning('actions', 'discipline_action', 'discipline_actions', 'action') }}
