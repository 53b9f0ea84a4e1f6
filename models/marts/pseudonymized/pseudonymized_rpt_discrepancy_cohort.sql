with

facts as (

    select * from {{ ref('rpt_discrepancy_cohort') }}

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
        facts.rule_id,
        case when people.schools is not null then facts.school_code end as school_code,
        people.grade,
        facts.gpa,
        facts.math_level,
        facts.math_test_year,
        facts.reading_level,
        facts.reading_test_year
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
