{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}

with

departing as (

    select distinct identity_id from {{ ref('int_identity_departing') }}

),

records as (

    select * from {{ ref('int_identity_records') }}

),

gone as (

    select departing.identity_id
    from departing
    where
        not exists (
            select from records
            where records.identity_id = departing.identity_id
        )

)

select * from gone
