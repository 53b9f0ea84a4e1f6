with

client_decisions as (

    select * from {{ ref('int_identity_client_decisions') }}
    where person_rank = 1

),

-- Whom a reviewer knows not to be the client. Few, so that looking through them again
-- and again costs nothing; through all decisions it would.
refused as materialized (

    select
        client_identity_id,
        person_id
    from {{ ref('int_identity_client_decisions') }}
    where decided_by = 'reviewer' and decision = 'none'

),

-- Read several times: copies would be made by one process alone.
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
        identity_id,
        'ssn|' || ssn as number
    from identities
    where ssn is not null

    union all

    select
        identity_id,
        'mci|' || mci_id as number
    from records
    where mci_id is not null

),

links as materialized (

    select
        client_decisions.client_identity_id,
        client_decisions.person_id,
        client_decisions.student_key,
        client_decisions.match_weight,
        client_decisions.match_probability,
        client_decisions.decided_by,
        identities.first_name,
        identities.birth_date
    from client_decisions
    inner join identities
        on client_decisions.client_identity_id = identities.identity_id
    where client_decisions.decision = 'link'

),

-- Worked out first: few of all the numbers are a linked client's.
linked as materialized (

    select distinct
        numbers.number,
        links.first_name,
        links.birth_date,
        links.person_id,
        links.student_key,
        links.match_weight,
        links.match_probability,
        links.decided_by
    from links
    inner join numbers on links.client_identity_id = numbers.identity_id

),

-- Who else bears them and is not linked.
bearers as materialized (

    select
        numbers.number,
        numbers.identity_id
    from numbers
    where
        numbers.number in (select linked.number from linked)
        and numbers.identity_id not in (select links.client_identity_id from links)

),

-- Materialized, so that names are compared only where a number is shared.
named_bearers as materialized (

    select
        bearers.number,
        identities.identity_id,
        identities.first_name,
        identities.birth_date
    from bearers
    inner join identities on bearers.identity_id = identities.identity_id

),

-- A linked client takes along the records that share its number and first name, unless
-- their birth date says otherwise. Numbers alone are not enough: relatives share them.
companions as (

    select
        named_bearers.identity_id,
        linked.person_id,
        max(linked.student_key) as student_key,
        -- A reviewer's link owes nothing to its weight, nor does what follows it.
        max(linked.match_weight) filter (where linked.decided_by = 'model')
            as match_weight,
        max(linked.match_probability) filter (where linked.decided_by = 'model')
            as match_probability
    from linked
    inner join named_bearers
        on
            linked.number = named_bearers.number
            and linked.first_name = named_bearers.first_name
            and coalesce(linked.birth_date = named_bearers.birth_date, true)
    left join client_decisions
        on named_bearers.identity_id = client_decisions.client_identity_id
    left join refused
        on
            named_bearers.identity_id = refused.client_identity_id
            and linked.person_id = refused.person_id
    where
        refused.client_identity_id is null
        and (
            client_decisions.person_id is null
            or client_decisions.person_id = linked.person_id
        )
        -- What speaks against the person itself still does.
        and coalesce(client_decisions.rule, 'near_tie') in (
            'near_tie', 'unknown_name_or_birth_date'
        )
    group by named_bearers.identity_id, linked.person_id

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
        coalesce(client_decisions.client_identity_id, undisputed.identity_id)
            as client_identity_id,
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
    from client_decisions
    full outer join undisputed
        on client_decisions.client_identity_id = undisputed.identity_id

)

select * from client_links
