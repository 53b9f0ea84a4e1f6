with

facts as (

    select * from {{ ref('fct_student_year_involvements') }}

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
        facts.program_group,
        facts.program_group_label,
        facts.involved_ever,
        facts.involved_prior_year,
        facts.involved_concurrent
    from facts
    inner join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key

)

select * from pseudonymized
