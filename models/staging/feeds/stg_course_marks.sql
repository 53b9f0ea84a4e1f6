select
    course_marks.partner_id,
    course_marks.load_id,
    course_marks.line_number,
    course_marks.district_student_id,
    course_marks.school_year,
    course_marks.marking_period,
    course_marks.course_code,
    subjects.code as subject,
    results.code = 'failed' as is_failed
from {{ source('raw', 'course_marks') }} as course_marks
{{ join_meaning('subjects', 'course_subject', 'course_marks', 'subject') }}
{{ join_meaning('results', 'mark_result', 'course_marks', 'mark') }}
