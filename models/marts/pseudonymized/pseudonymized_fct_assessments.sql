with

facts as (

    select * from {{ ref('fct_assessments') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.district_id,
        facts.test_year,
        facts.test,
        facts.subject,
        facts.grade,
        facts.grade_label,
        facts.level,
        facts.scaled_score,
        facts.scale_id,
        facts.is_proficient
    from facts
    inner join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key

)

select * from pseudonymized
