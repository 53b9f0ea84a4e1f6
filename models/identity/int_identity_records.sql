{{ config(materialized='view') }}

with

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

records as (

    select
        record_type,
        partner_id,
        record_id,
        mci_id,
        identity_id
    from tuples

)

select * from records
