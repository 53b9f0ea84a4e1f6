with

students as (

    select * from {{ source('raw', 'students') }}

),

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

-- Files of a district that key by state id still mean the district's student.
student_ids as (

    select distinct on (students.partner_id, students.state_student_id)
        students.partner_id as district_id,
        students.state_student_id,
        students.district_student_id
    from students
    inner join deliveries on students.load_id = deliveries.load_id
    where
        students.state_student_id is not null
        and students.district_student_id is not null
    order by
        students.partner_id,
        students.state_student_id,
        deliveries.as_of_date desc,
        deliveries.delivery_number desc,
        students.line_number desc

)

select * from student_ids
