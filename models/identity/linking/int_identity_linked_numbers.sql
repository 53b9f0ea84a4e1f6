{{ config(pre_hook=plan_for_pass()) }}

with

client_decisions as (

    select * from {{ ref('int_identity_client_decisions') }}
    where person_rank = 1 and decision = 'link'

),

identities as (

    select * from {{ ref('int_identities') }}

),

records as (

    select * from {{ ref('int_identity_records') }}

),

links as not materialized (

    select
        client_decisions.client_identity_id,
        client_decisions.person_id,
        client_decisions.student_key,
        client_decisions.match_weight,
        client_decisions.match_probability,
        client_decisions.decided_by,
        identities.first_name,
        identities.birth_date,
        identities.ssn
    from client_decisions
    inner join identities
        on client_decisions.client_identity_id = identities.identity_id

),

-- The numbers by which programs know that two of their records are one client.
linked_numbers as (

    select
        'ssn' as number_type,
        ssn as number,
        first_name,
        birth_date,
        person_id,
        student_key,
        match_weight,
        match_probability,
        decided_by
    from links
    where ssn is not null

    union

    select
        'mci' as number_type,
        records.mci_id as number,
        links.first_name,
        links.birth_date,
        links.person_id,
        links.student_key,
        links.match_weight,
        links.match_probability,
        links.decided_by
    from links
    inner join records on links.client_identity_id = records.identity_id
    where records.mci_id is not null

)

select * from linked_numbers
