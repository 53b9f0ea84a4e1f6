with

enrollments as (

    select * from {{ source('raw', 'enrollments') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'enrollments'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

students as (

    select * from {{ ref('int_students_accepted') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

decoded as (

    select
        enrollments.partner_id as district_id,
        student_ids.district_student_id,
        snapshots.school_year,
        enrollments.school_code,
        cast(grades.code as smallint) as grade,
        enrollments.entry_date,
        enrollments.exit_date,
        exit_codes.code as exit_code,
        enrollments.activity_date,
        activities.code as activity_code,
        enrollments.line_number
    from enrollments
    inner join snapshots on enrollments.load_id = snapshots.load_id
    {{ join_student_ids('enrollments') }}
    {{ join_meaning('grades', 'grade', 'enrollments', 'grade') }}
    {{ join_meaning('exit_codes', 'enrollment_code', 'enrollments', 'exit_code') }}
    {{ join_meaning('activities', 'enrollment_code', 'enrollments', 'activity_code') }}

),

-- The year's roster supplies the school and grade that a record lacks.
completed as (

    select
        decoded.district_id,
        decoded.district_student_id,
        decoded.school_year,
        coalesce(decoded.school_code, students.school_code) as school_code,
        coalesce(decoded.grade, students.grade) as grade,
        decoded.entry_date,
        decoded.exit_date,
        decoded.exit_code,
        decoded.activity_date,
        decoded.activity_code,
        decoded.line_number
    from decoded
    left join students using (district_id, district_student_id, school_year)

)

select * from completed
