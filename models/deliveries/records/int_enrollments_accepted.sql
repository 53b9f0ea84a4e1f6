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

enrollment_codes as (

    select * from {{ ref('enrollment_codes') }}

),

event_kinds as (

    select * from {{ ref('enrollment_event_kinds') }}

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
        -- A withdrawal ends the enrollment even while nobody knows the code's meaning.
        coalesce(enrollment_codes.kind, event_kinds.kind) as activity_kind,
        enrollments.line_number
    from enrollments
    inner join snapshots on enrollments.load_id = snapshots.load_id
    {{ join_student_ids('enrollments') }}
    left join enrollment_codes on enrollments.activity_code = enrollment_codes.code
    left join event_kinds
        on enrollments.activity_code_sent ~ ('^(' || event_kinds.pattern || ')$')

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
        current_records.activity_kind,
        current_records.line_number
    from current_records
    left join students using (district_id, district_student_id, school_year)

)

select * from completed
