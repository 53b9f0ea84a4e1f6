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
        facts.program_group_label,
        -- The day of a placement is known to too many.
        cast(date_trunc('month', facts.started_on) as date) as started_on,
        cast(date_trunc('month', facts.ended_on) as date) as ended_on
    from facts
    inner join pseudonyms as persons
        on facts.person_id = persons.key

)

select * from pseudonymized
