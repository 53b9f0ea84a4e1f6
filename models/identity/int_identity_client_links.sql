with

client_decisions as (

    select * from {{ ref('int_identity_client_decisions') }}
    where person_rank = 1

),

-- Whom a reviewer knows not to be the client.
refused as (

    select
        client_identity_id,
        person_id
    from {{ ref('int_identity_client_decisions') }}
    where decided_by = 'reviewer' and decision = 'none'

),

identities as (

    select * from {{ ref('int_identities') }}
    where record_type = 'client'

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

clients as (

    select * from {{ ref('stg_clients') }}

),

-- The numbers by which programs know that two of their records are one client.
numbers as (

    select
        identity_id,
        'ssn|' || ssn as number
    from identities
    where ssn is not null

    union

    select
        records.identity_id,
        'mci|' || clients.mci_id as number
    from records
    inner join clients
        on records.record_id = clients.source_id || ':' || clients.source_client_id
    where clients.mci_id is not null

),

numbered as (

    select
        numbers.identity_id,
        numbers.number,
        identities.first_name,
        identities.birth_date,
        client_decisions.person_id,
        client_decisions.student_key,
        client_decisions.match_weight,
        client_decisions.match_probability,
        client_decisions.rule,
        client_decisions.decided_by,
        coalesce(client_decisions.decision, 'none') = 'link' as is_linked
    from numbers
    inner join identities on numbers.identity_id = identities.identity_id
    left join client_decisions
        on numbers.identity_id = client_decisions.client_identity_id

),

-- A linked client takes along the records that share its number and first name, unless
-- their birth date says otherwise. Numbers alone are not enough: relatives share them.
companions as (

    select
        numbered.identity_id,
        linked.person_id,
        max(linked.student_key) as student_key,
        -- A reviewer's link owes nothing to its weight, nor does what follows it.
        max(linked.match_weight) filter (where linked.decided_by = 'model')
            as match_weight,
        max(linked.match_probability) filter (where linked.decided_by = 'model')
            as match_probability
    from numbered
    inner join numbered as linked
        on
            numbered.number = linked.number
            and numbered.first_name = linked.first_name
            and coalesce(numbered.birth_date = linked.birth_date, true)
    left join refused
        on
            numbered.identity_id = refused.client_identity_id
            and linked.person_id = refused.person_id
    where
        linked.is_linked
        and not numbered.is_linked
        and refused.client_identity_id is null
        and (numbered.person_id is null or numbered.person_id = linked.person_id)
        -- What speaks against the person itself still does.
        and coalesce(numbered.rule, 'near_tie') in (
            'near_tie', 'unknown_name_or_birth_date'
        )
    group by numbered.identity_id, linked.person_id

),

claimed as (

    select
        *,
        count(*) over (partition by identity_id) as claimants
    from companions

),

undisputed as (

    select * from claimed
    where claimants = 1

),

client_links as (

    select
        identities.identity_id as client_identity_id,
        client_decisions.student_identity_id,
        coalesce(undisputed.student_key, client_decisions.student_key) as student_key,
        coalesce(undisputed.person_id, client_decisions.person_id) as person_id,
        case
            when undisputed.identity_id is null then client_decisions.match_weight
            else undisputed.match_weight
        end as match_weight,
        case
            when undisputed.identity_id is null then client_decisions.match_probability
            else undisputed.match_probability
        end as match_probability,
        client_decisions.runner_up_person_id,
        client_decisions.runner_up_weight,
        client_decisions.rule,
        case
            when undisputed.identity_id is null then client_decisions.decision
            else 'link'
        end as decision,
        case
            when undisputed.identity_id is null then client_decisions.decided_by
            else 'id'
        end as decided_by
    from identities
    left join client_decisions
        on identities.identity_id = client_decisions.client_identity_id
    left join undisputed on identities.identity_id = undisputed.identity_id
    where
        client_decisions.client_identity_id is not null
        or undisputed.identity_id is not null

)

select * from client_links
