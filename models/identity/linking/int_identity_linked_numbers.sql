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

links as (

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
        numbers.number_type,
        numbers.number,
        links.first_name,
        links.birth_date,
        links.person_id,
        max(links.student_key) as student_key,
        -- A reviewer's link owes nothing to its weight.
        max(links.match_weight) filter (where links.decided_by = 'model')
            as match_weight,
        max(links.match_probability) filter (where links.decided_by = 'model')
            as match_probability
    from links
    inner join records on links.client_identity_id = records.identity_id
    cross join
        lateral (
            values
            ('ssn', links.ssn),
            ('mci', records.mci_id)
        ) as numbers (number_type, number)
    where numbers.number is not null
    group by
        numbers.number_type,
        numbers.number,
        links.first_name,
        links.birth_date,
        links.person_id

)

select * from linked_numbers
