with

facts as (

    select * from {{ ref('fct_assessments') }}

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
        facts.test_year,
        facts.test,
        facts.subject,
        case when facts.grade = people.grade then facts.grade end as grade,
        facts.level,
        facts.scaled_score,
        facts.scale_id,
        facts.is_proficient
    from facts
    inner join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key
    left join people
        on
            facts.person_id = people.person_id
            and facts.district_id = people.district_id
            and facts.test_year = people.school_year

)

select * from pseudonymized
