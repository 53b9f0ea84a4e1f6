select
    assessments.partner_id,
    assessments.load_id,
    assessments.line_number,
    assessments.district_student_id,
    assessments.state_student_id,
    assessments.test_year,
    cast(grades.code as smallint) as grade,
    assessments.test,
    subjects.code as subject,
    assessments.scaled_score,
    levels.code as level
from {{ source('raw', 'assessments') }} as assessments
{{ join_meaning('grades', 'grade', 'assessments', 'grade') }}
{{ join_meaning('subjects', 'subject', 'assessments', 'subject') }}
{{ join_meaning('levels', 'performance_level', 'assessments', 'level') }}
