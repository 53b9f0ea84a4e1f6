with

facts as (

    select * from {{ ref('fct_enrollments') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.district_id,
        facts.school_key,
        facts.school_year,
        facts.spell_number,
        facts.grade,
        facts.grade_label,
        facts.entry_date,
        facts.exit_date,
        facts.exit_code
    from facts
    inner join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key

)

select * from pseudonymized
