with

students as (

    select * from {{ ref('stg_students') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

student_versions as (

    select
        students.partner_id as district_id,
        students.district_student_id,
        students.state_student_id,
        students.last_name,
        students.first_name,
        students.middle_name,
        students.suffix,
        students.birth_date,
        students.gender,
        students.ssn,
        students.street,
        students.city,
        students.zip,
        min(deliveries.as_of_date) as first_as_of_date,
        max(deliveries.as_of_date) as last_as_of_date
    from students
    inner join deliveries on students.load_id = deliveries.load_id
    where
        students.district_student_id is not null
        and students.last_name is not null
    group by
        students.partner_id,
        students.district_student_id,
        students.state_student_id,
        students.last_name,
        students.first_name,
        students.middle_name,
        students.suffix,
        students.birth_date,
        students.gender,
        students.ssn,
        students.street,
        students.city,
        students.zip

)

select * from student_versions
