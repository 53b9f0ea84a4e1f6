select
    programs.partner_id,
    programs.load_id,
    programs.line_number,
    programs.district_student_id,
    programs.state_student_id,
    meanings.code as program,
    programs.start_date,
    programs.end_date
from {{ source('raw', 'programs') }} as programs
{{ join_meaning('meanings', 'school_program', 'programs', 'program') }}
