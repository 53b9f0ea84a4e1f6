with

students as (

    select * from {{ ref('stg_students') }}

),

files as (

    select * from {{ ref('int_file_statuses') }}

),

student_listings as (

    select distinct
        students.load_id,
        students.district_student_id
    from students
    inner join files on students.load_id = files.file_id
    where
        files.status in ('loaded', 'held')
        and students.district_student_id is not null

)

select * from student_listings
