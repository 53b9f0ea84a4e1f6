{{ config(tags='incremental_linking') }}

with

new_tuples as (

    select * from {{ ref('int_identity_new_tuples') }}

),

written as (

    select distinct street from new_tuples
    where street is not null

),

streets as (

    select
        street,
        {{ function('normalized_street') }}(street) as normalized_street
    from written

)

select * from streets
