with

facts as (

    select * from {{ ref('fct_involvements') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

pseudonymized as (

    select
        persons.pseudonym as person_id,
        facts.program_code,
        facts.program_group,
        facts.started_on,
        facts.ended_on
    from facts
    inner join pseudonyms as persons
        on facts.person_id = persons.key

)

select * from pseudonymized
