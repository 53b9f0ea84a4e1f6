with

codes as (

    select * from {{ ref('codes') }}

),

performance_levels as (

    select * from {{ ref('performance_levels') }}

),

assessments as (

    select * from {{ ref('int_assessments_accepted') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

assessment_scales as (

    select * from {{ ref('assessment_scales') }}

),

-- Students on no roster have no person and are left out.
results as (

    select
        {{ student_key('assessments') }} as student_key,
        student_persons.person_id,
        assessments.district_id,
        assessments.district_student_id,
        assessments.test_year,
        assessments.test,
        assessments.subject,
        assessments.grade,
        grades.label as grade_label,
        assessments.level,
        cast(assessments.scaled_score as numeric(8, 2)) as scaled_score,
        assessment_scales.scale_id,
        performance_levels.is_proficient
    from assessments
    inner join student_persons using (district_id, district_student_id)
    left join assessment_scales
        on
            assessments.test = assessment_scales.test
            and assessments.subject = assessment_scales.subject
            and {{ in_force('assessment_scales', 'assessments.test_year') }}
    left join performance_levels using (level)
    left join codes as grades
        on grades.domain = 'grade' and cast(assessments.grade as text) = grades.code

)

select * from results
