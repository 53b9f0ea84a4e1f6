with

client_decisions as (

    select * from {{ ref('int_identity_client_decisions') }}

),

identities as not materialized (

    select * from {{ ref('int_identities') }}
    where record_type = 'client'

),

records as not materialized (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

-- The numbers by which programs know that two of their records are one client.
numbers as not materialized (

    select
        'ssn' as number_type,
        identities.ssn as number,
        records.identity_id
    from records
    inner join identities on records.identity_id = identities.identity_id
    where identities.ssn is not null

    union

    select
        'mci' as number_type,
        mci_id as number,
        identity_id
    from records
    where mci_id is not null

),

links as (

    select
        numbers.number_type,
        numbers.number,
        identities.first_name,
        identities.birth_date,
        client_decisions.person_id,
        max(client_decisions.student_key) as student_key,
        -- A reviewer's link owes nothing to its weight.
        max(client_decisions.match_weight) filter (
            where client_decisions.decided_by = 'model'
        ) as match_weight,
        max(client_decisions.match_probability) filter (
            where client_decisions.decided_by = 'model'
        ) as match_probability
    from client_decisions
    inner join identities
        on client_decisions.client_identity_id = identities.identity_id
    inner join numbers
        on client_decisions.client_identity_id = numbers.identity_id
    where client_decisions.decision = 'link'
    group by
        numbers.number_type,
        numbers.number,
        identities.first_name,
        identities.birth_date,
        client_decisions.person_id

),

-- A linked client takes along the records that have its number and first name, unless
-- their birth date says otherwise. Numbers alone are not enough: relatives share them.
-- Contradicting evidence about the person itself still counts.
followed as (

    select
        numbers.identity_id as client_identity_id,
        links.person_id,
        max(links.student_key) as student_key,
        max(links.match_weight) as match_weight,
        max(links.match_probability) as match_probability
    from links
    inner join numbers
        on
            links.number_type = numbers.number_type
            and links.number = numbers.number
    inner join identities
        on
            numbers.identity_id = identities.identity_id
            and links.first_name = identities.first_name
            and coalesce(links.birth_date = identities.birth_date, true)
    left join client_decisions
        on
            numbers.identity_id = client_decisions.client_identity_id
            and client_decisions.person_rank = 1
    left join client_decisions as refused
        on
            numbers.identity_id = refused.client_identity_id
            and links.person_id = refused.person_id
            and refused.decided_by = 'reviewer'
            and refused.decision = 'none'
    where
        client_decisions.decision is distinct from 'link'
        and coalesce(client_decisions.person_id = links.person_id, true)
        and coalesce(client_decisions.rule, 'near_tie') in (
            'near_tie', 'unknown_name_or_birth_date'
        )
        and refused.client_identity_id is null
    group by numbers.identity_id, links.person_id

),

-- Ambiguous records stay unlinked.
followers as (

    select
        client_identity_id,
        min(person_id) as person_id,
        min(student_key) as student_key,
        min(match_weight) as match_weight,
        min(match_probability) as match_probability
    from followed
    group by client_identity_id
    having count(*) = 1

)

select * from followers
