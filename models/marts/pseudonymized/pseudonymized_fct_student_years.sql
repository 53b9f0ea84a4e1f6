with

facts as (

    select * from {{ ref('fct_student_years') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

people as (

    select * from {{ ref('int_deidentified_person_years') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.district_id,
        facts.school_year,
        people.birth_year,
        people.grade,
        people.gender,
        people.race,
        people.is_english_learner,
        people.special_education,
        people.economic_status,
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
    inner join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key
    inner join people
        on
            facts.person_id = people.person_id
            and facts.district_id = people.district_id
            and facts.school_year = people.school_year

)

select * from pseudonymized
