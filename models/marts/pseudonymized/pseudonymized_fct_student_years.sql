with

facts as (

    select * from {{ ref('fct_student_years') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

students as (

    select * from {{ ref('dim_students') }}

),

pseudonymized as (

    select
        student_pseudonyms.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.district_id,
        facts.school_year,
        facts.known_through,
        facts.is_complete_year,
        facts.school_code,
        cast(extract(year from students.birth_date) as smallint) as birth_year,
        facts.grade,
        facts.grade_label,
        facts.gender,
        facts.race,
        facts.race_label,
        facts.is_english_learner,
        facts.special_education,
        facts.economic_status,
        facts.days_enrolled,
        facts.days_absent,
        facts.days_absent_excused,
        facts.days_absent_unexcused,
        facts.attendance_rate,
        facts.is_chronically_absent_pde,
        facts.is_chronically_absent_federal,
        facts.is_regular_attender,
        facts.gpa,
        facts.pssa_math_level,
        facts.pssa_reading_level,
        facts.is_proficient_math,
        facts.is_proficient_reading,
        facts.suspension_days,
        facts.promise_status,
        facts.promise_history_is_complete,
        facts.involved_ever,
        facts.involved_prior_year,
        facts.involved_concurrent
    from facts
    inner join pseudonyms as student_pseudonyms
        on facts.student_key = student_pseudonyms.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key
    left join students on facts.student_key = students.student_key

)

select * from pseudonymized
