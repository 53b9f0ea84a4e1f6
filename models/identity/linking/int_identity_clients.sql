-- A view without CTEs merges into the query that reads it (`stg_clients` says more).
{{ config(materialized='view', tags='incremental_linking') }}

select
    clients.source_id,
    clients.source_client_id,
    clients.record_hash,
    clients.mci_id,
    clients.last_name,
    clients.first_name,
    clients.middle_name,
    clients.suffix,
    clients.birth_date,
    clients.gender,
    clients.ssn,
    clients.street,
    clients.zip,
    clients.as_of_date,
    clients.source_id || ':' || clients.source_client_id as record_id,
    coalesce(
        clients.birth_date >= (
            select identity_pass.clients_born_from
            from {{ ref('int_identity_pass') }} as identity_pass
        )
        or clients.birth_date <= date '1900-01-01'
        or (clients.source_id, clients.source_client_id) in (
            select
                split_part(decisions.other_record_key, ':', 1) as source_id,
                split_part(decisions.other_record_key, ':', 2) as source_client_id
            from {{ ref('stg_link_decisions') }} as decisions
            where decisions.other_record_type = 'client'
        ),
        true
    ) as is_compared
from {{ ref('stg_clients') }} as clients
