with

person_crosswalk as (

    select * from {{ ref('person_crosswalk') }}

),

student_persons as (

    select
        partner_id as district_id,
        record_id as district_student_id,
        person_id
    from person_crosswalk
    where record_type = 'student'

)

select * from student_persons
