-- Explicit columns, so that a new column of the fact does not reach districts
-- unnoticed. Neither person_id nor human-services data may.
with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

own_student_years as (

    select
        student_key,
        district_id,
        district_student_id,
        school_year,
        known_through,
        is_complete_year,
        school_code,
        grade,
        grade_label,
        gender,
        race,
        race_label,
        is_english_learner,
        special_education,
        economic_status,
        days_enrolled,
        days_absent,
        days_absent_excused,
        days_absent_unexcused,
        attendance_rate,
        is_chronically_absent_pde,
        is_chronically_absent_federal,
        is_regular_attender,
        gpa,
        pssa_math_level,
        pssa_reading_level,
        is_proficient_math,
        is_proficient_reading,
        suspension_days,
        promise_status,
        promise_history_is_complete
    from student_years

)

select * from own_student_years
