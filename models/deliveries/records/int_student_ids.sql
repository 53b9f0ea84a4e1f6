-- The definition of a student: an id that a roster has listed with a name.
with

students as (

    select * from {{ ref('stg_students') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

student_versions as (

    select * from {{ ref('int_student_versions') }}

),

named_students as (

    select distinct
        district_id,
        district_student_id
    from student_versions

),

-- Some files of a district name students by state id.
state_ids as (

    select distinct on (students.partner_id, students.state_student_id)
        named_students.district_id,
        students.state_student_id,
        named_students.district_student_id
    from students
    inner join deliveries using (load_id)
    inner join named_students
        on
            students.partner_id = named_students.district_id
            and students.district_student_id = named_students.district_student_id
    where students.state_student_id is not null
    order by
        students.partner_id,
        students.state_student_id,
        deliveries.as_of_date desc,
        deliveries.delivery_number desc,
        students.line_number desc

),

student_ids as (

    select
        district_id,
        false as is_state_id,
        district_student_id as student_id,
        district_student_id
    from named_students
    union all
    select
        district_id,
        true as is_state_id,
        state_student_id as student_id,
        district_student_id
    from state_ids

)

select * from student_ids
