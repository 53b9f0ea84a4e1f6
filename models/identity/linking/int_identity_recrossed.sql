{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}

with

changed_clients as (

    select * from {{ ref('stg_changed_clients') }}

),

relinked as (

    select * from {{ ref('int_identity_relinked') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

recrossed as (

    select
        record_hash,
        source_id || ':' || source_client_id as record_id
    from changed_clients

    union

    select
        records.record_hash,
        records.record_id
    from relinked
    inner join records on relinked.client_identity_id = records.identity_id

)

select * from recrossed
