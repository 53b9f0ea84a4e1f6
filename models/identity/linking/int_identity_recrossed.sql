{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}

with

changed_clients as (

    select
        source_id || ':' || source_client_id as record_id,
        record_hash
    from {{ ref('stg_changed_clients') }}

),

updated_clients as (

    select * from {{ ref('int_identity_updated_clients') }}

),

tuples as (

    select * from {{ ref('int_identity_tuples') }}
    where record_type = 'client'

),

relinked as (

    select * from {{ ref('int_identity_relinked') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

client_links as (

    select * from {{ ref('int_identity_client_links') }}

),

touched as (

    select
        changed_clients.record_id,
        updated_clients.record_id is not null as is_there,
        updated_clients.mci_id,
        tuples.identity_id
    from changed_clients
    left join updated_clients
        on
            -- Numbers are compared sooner than texts.
            changed_clients.record_hash = updated_clients.record_hash
            and changed_clients.record_id = updated_clients.record_id
    left join tuples
        on
            changed_clients.record_hash = tuples.record_hash
            and changed_clients.record_id = tuples.record_id

    union

    select
        records.record_id,
        true as is_there,
        records.mci_id,
        records.identity_id
    from relinked
    inner join records on relinked.client_identity_id = records.identity_id

),

recrossed as (

    select
        touched.record_id,
        case
            when client_links.decision = 'link' then client_links.person_id
            when touched.is_there
                then {{ function('own_person_id') }}(touched.mci_id, touched.record_id)
        end as person_id,
        case when touched.is_there then coalesce(client_links.decision, 'none') end
            as decision,
        client_links.match_weight,
        client_links.match_probability,
        client_links.decided_by
    from touched
    left join client_links on touched.identity_id = client_links.client_identity_id

)

select * from recrossed
