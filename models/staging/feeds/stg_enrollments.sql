select
    enrollments.partner_id,
    enrollments.load_id,
    enrollments.line_number,
    enrollments.district_student_id,
    enrollments.state_student_id,
    enrollments.school_code,
    cast(grades.code as smallint) as grade,
    enrollments.entry_date,
    enrollments.exit_date,
    exit_codes.code as exit_code,
    enrollments.activity_date,
    activities.code as activity_code,
    enrollments.activity_code as activity_code_sent
from {{ source('raw', 'enrollments') }} as enrollments
{{ join_meaning('grades', 'grade', 'enrollments', 'grade') }}
{{ join_meaning('exit_codes', 'enrollment_code', 'enrollments', 'exit_code') }}
{{ join_meaning('activities', 'enrollment_code', 'enrollments', 'activity_code') }}
