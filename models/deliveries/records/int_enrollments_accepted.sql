with

enrollments as (

    select * from {{ ref('stg_enrollments') }}

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

current_records as (

    select
        enrollments.partner_id as district_id,
        student_ids.district_student_id,
        snapshots.school_year,
        enrollments.school_code,
        enrollments.grade,
        enrollments.entry_date,
        enrollments.exit_date,
        enrollments.exit_code,
        enrollments.activity_date,
        enrollments.activity_code,
        enrollments.line_number
    from enrollments
    inner join snapshots on enrollments.load_id = snapshots.load_id
    {{ join_student_ids('enrollments') }}

),

-- The year's roster supplies the school and grade that a record lacks.
completed as (

    select
        current_records.district_id,
        current_records.district_student_id,
        current_records.school_year,
        coalesce(current_records.school_code, students.school_code) as school_code,
        coalesce(current_records.grade, students.grade) as grade,
        current_records.entry_date,
        current_records.exit_date,
        current_records.exit_code,
        current_records.activity_date,
        current_records.activity_code,
        current_records.line_number
    from current_records
    left join students using (district_id, district_student_id, school_year)

)

select * from completed
