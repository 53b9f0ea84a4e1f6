with

facts as (

    select * from {{ ref('rpt_discrepancy_cohort') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.district_id,
        facts.school_year,
        facts.known_through,
        facts.is_complete_year,
        facts.rule_id,
        facts.school_code,
        facts.grade,
        facts.grade_label,
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

)

select * from pseudonymized
