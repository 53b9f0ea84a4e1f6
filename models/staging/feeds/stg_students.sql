select
    students.partner_id,
    students.load_id,
    students.line_number,
    students.district_student_id,
    students.state_student_id,
    students.last_name,
    students.first_name,
    students.middle_name,
    students.suffix,
    students.birth_date,
    genders.code as gender,
    students.ssn,
    students.street,
    students.city,
    students.zip,
    students.school_code,
    cast(grades.code as smallint) as grade,
    cast(races.code as smallint) as race,
    learners.code = 'yes' as is_english_learner,
    sped.code as special_education,
    disabilities.code as primary_disability,
    statuses.code as economic_status,
    homeless_flags.code = 'yes' as is_homeless,
    students.home_language,
    students.homeroom,
    graduations.code as graduation_status,
    plans.code as post_school_plan
from {{ source('raw', 'students') }} as students
{{ join_meaning('genders', 'gender', 'students', 'gender') }}
{{ join_meaning('grades', 'grade', 'students', 'grade') }}
{{ join_meaning('races', 'race', 'students', 'race') }}
{{ join_meaning('learners', 'english_learner', 'students', 'english_learner') }}
{{ join_meaning('sped', 'special_education', 'students', 'special_education') }}
{{ join_meaning('disabilities', 'disability', 'students', 'primary_disability') }}
{{ join_meaning('statuses', 'economic_status', 'students', 'economic_status') }}
{{ join_meaning('homeless_flags', 'yes_no', 'students', 'homeless') }}
{{ join_meaning('graduations', 'graduation_status', 'students', 'graduation_status') }}
{{ join_meaning('plans', 'post_school_plan', 'students', 'post_school_plan') }}
