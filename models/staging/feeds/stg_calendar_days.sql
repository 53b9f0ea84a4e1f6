select
    calendar_days.partner_id,
    calendar_days.load_id,
    calendar_days.line_number,
    calendar_days.school_code,
    calendar_days.school_name,
    calendar_days.calendar_date,
    session_flags.code = 'yes' as is_in_session
from {{ source('raw', 'calendar_days') }} as calendar_days
{{ join_meaning('session_flags', 'yes_no', 'calendar_days', 'in_session') }}
