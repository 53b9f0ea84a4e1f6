with

facts as (

    select * from {{ ref('fct_intervention_spells') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.district_id,
        facts.intervention_code,
        facts.intervention_name,
        facts.started_on,
        facts.ended_on
    from facts
    inner join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key

)

select * from pseudonymized
