-- Explicit columns, so that a new column of the fact does not reach districts
-- unnoticed. Neither person_id nor human-services data may.
with

students as (

    select * from {{ ref('dim_students') }}

),

own_students as (

    select
        student_key,
        district_id,
        district_student_id,
        state_student_id,
        last_name,
        first_name,
        middle_name,
        suffix,
        birth_date,
        gender,
        race,
        race_label,
        is_english_learner,
        special_education,
        primary_disability,
        economic_status,
        is_homeless,
        home_language,
        last_school_year
    from students

)

select * from own_students
