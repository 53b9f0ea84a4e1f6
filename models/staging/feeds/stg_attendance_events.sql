select
    attendance_events.partner_id,
    attendance_events.load_id,
    attendance_events.line_number,
    attendance_events.district_student_id,
    attendance_events.state_student_id,
    attendance_events.event_date,
    categories.code as category,
    attendance_events.day_fraction,
    excused_flags.code = 'yes' as is_excused
from {{ source('raw', 'attendance_events') }} as attendance_events
{{ join_meaning('categories', 'attendance', 'attendance_events', 'event_code') }}
{{ join_meaning('excused_flags', 'yes_no', 'attendance_events', 'excused') }}
