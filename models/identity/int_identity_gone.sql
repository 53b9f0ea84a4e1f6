{{ config(tags='incremental_linking') }}

with

departing as (

    select distinct identity_id from {{ ref('int_identity_departing') }}

),

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

gone as (

    select departing.identity_id
    from departing
    where
        not exists (
            select from tuples
            where tuples.identity_id = departing.identity_id
        )

)

select * from gone
