{{ config(pre_hook=plan_for_pass()) }}

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

linked_numbers as not materialized (

    select * from {{ ref('int_identity_linked_numbers') }}

),

identities as not materialized (

    select * from {{ ref('int_identities') }}
    where record_type = 'client'

),

records as (

    select * from {{ ref('int_identity_records') }}

),

bearers as (

    select
        linked_numbers.*,
        identities.identity_id
    from linked_numbers
    inner join identities on linked_numbers.number = identities.ssn
    where linked_numbers.number_type = 'ssn'

    union all

    select
        linked_numbers.*,
        records.identity_id
    from linked_numbers
    inner join records on linked_numbers.number = records.mci_id
    where linked_numbers.number_type = 'mci'

),

-- Before names are compared, because most bearers are the linked clients themselves.
open_bearers as (

    select bearers.*
    from bearers
    left join client_decisions
        on bearers.identity_id = client_decisions.client_identity_id
    where
        client_decisions.decision is distinct from 'link'
        and (
            client_decisions.person_id is null
            or client_decisions.person_id = bearers.person_id
        )
        -- What speaks against the person itself still does.
        and coalesce(client_decisions.rule, 'near_tie') in (
            'near_tie', 'unknown_name_or_birth_date'
        )

),

-- A linked client takes along the records that share its number and first name, unless
-- their birth date says otherwise. Numbers alone are not enough: relatives share them.
followed as (

    select
        open_bearers.identity_id,
        open_bearers.person_id,
        max(open_bearers.student_key) as student_key,
        max(open_bearers.match_weight) as match_weight,
        max(open_bearers.match_probability) as match_probability
    from open_bearers
    inner join identities
        on
            open_bearers.identity_id = identities.identity_id
            and open_bearers.first_name = identities.first_name
            and coalesce(open_bearers.birth_date = identities.birth_date, true)
    left join refused
        on
            open_bearers.identity_id = refused.client_identity_id
            and open_bearers.person_id = refused.person_id
    where refused.client_identity_id is null
    group by open_bearers.identity_id, open_bearers.person_id

),

claimed as (

    select
        *,
        count(*) over (partition by identity_id) as claimants
    from followed

),

-- Who could follow two persons follows neither.
companions as (

    select
        identity_id as client_identity_id,
        person_id,
        student_key,
        match_weight,
        match_probability
    from claimed
    where claimants = 1

)

select * from companions
