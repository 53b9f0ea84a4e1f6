{{ config(tags='incremental_linking') }}

with

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

new_tuples as (

    select * from {{ ref('int_identity_new_tuples') }}

),

gone as (

    select * from {{ ref('int_identity_gone') }}

),

keys as (

    select * from {{ ref('int_identity_keys') }}

),

blocks as (

    select * from {{ ref('int_identity_blocks') }}

),

opened_or_closed as (

    select
        key_type,
        key_hash
    from blocks
    where is_dropped <> was_dropped

),

moved as (

    select identity_id from new_tuples

    union

    select identity_id from gone

    union

    select keys.identity_id
    from opened_or_closed
    inner join keys
        on
            opened_or_closed.key_type = keys.key_type
            and opened_or_closed.key_hash = keys.key_hash
    where keys.student_key is not null

),

reblocked as (

    select * from moved
    where (select not identity_pass.is_full from identity_pass)

)

select * from reblocked
