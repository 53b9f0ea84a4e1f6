with

facts as (

    select * from {{ ref('fct_cohort_years') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.base_year,
        facts.follow_up_year,
        facts.known_through,
        facts.is_complete_year,
        facts.base_district_id,
        facts.base_grade,
        facts.base_grade_label,
        facts.gender,
        facts.race,
        facts.race_label,
        facts.base_economic_status,
        facts.base_involved,
        facts.status,
        facts.district_id,
        facts.grade,
        facts.grade_label,
        facts.attendance_rate,
        facts.is_chronically_absent_federal,
        facts.gpa,
        facts.is_proficient_math,
        facts.is_proficient_reading,
        facts.is_involved
    from facts
    left join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key

)

select * from pseudonymized
