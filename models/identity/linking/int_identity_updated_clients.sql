-- Tuples and the crosswalk read these, so that each record is looked up once.
{{ config(tags='incremental_linking', pre_hook=expect_lookups()) }}

with

clients as (

    select * from {{ ref('int_identity_clients') }}

),

repeated_clients as (

    select * from {{ ref('stg_repeated_clients') }}

),

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

updated_clients as (

    select clients.*
    from identity_pass
    inner join repeated_clients on not identity_pass.is_full
    inner join clients on repeated_clients.record_hash = clients.record_hash

)

select * from updated_clients
