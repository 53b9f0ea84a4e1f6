with

course_marks as (

    select * from {{ ref('stg_course_marks') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'course_marks'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

current_marks as (

    select
        course_marks.partner_id as district_id,
        course_marks.district_student_id,
        course_marks.school_year,
        course_marks.marking_period,
        course_marks.course_code,
        course_marks.subject,
        course_marks.is_failed
    from course_marks
    inner join snapshots using (load_id, school_year)
    inner join student_ids
        on
            course_marks.partner_id = student_ids.district_id
            and course_marks.district_student_id = student_ids.student_id
            and not student_ids.is_state_id

)

select * from current_marks
