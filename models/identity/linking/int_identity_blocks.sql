{{ config(tags='incremental_linking') }}
{% set known = linking_state('int_identity_blocks') %}

with

keys as (

    select * from {{ ref('int_identity_keys') }}

),

blocking_keys as (

    select * from {{ ref('blocking_keys') }}

),

blocks as (

    select
        key_type,
        key_hash,
        count(student_key) as student_identities,
        count(*) - count(student_key) as client_identities
    from keys
    group by key_type, key_hash
    having count(student_key) > 0 and count(*) > 1

),

known as (

    {% if known and not is_full_pass() %}
    select * from {{ known }}
    {% else %}
    select
        *,
        false as is_dropped
    from blocks
    where false
    {% endif %}

),

-- A key that so many share says nothing about anybody; its pairs would swamp others.
capped as (

    select
        blocks.key_type,
        blocks.key_hash,
        blocks.student_identities,
        blocks.client_identities,
        blocks.student_identities
        * (blocks.client_identities + (blocks.student_identities - 1) / 2.0) as pairs,
        blocks.student_identities
        * (blocks.client_identities + (blocks.student_identities - 1) / 2.0)
        > blocking_keys.max_pairs as is_dropped,
        known.is_dropped as was_dropped
    from blocks
    inner join blocking_keys on blocks.key_type = blocking_keys.key_type
    left join known
        on
            blocks.key_type = known.key_type
            and blocks.key_hash = known.key_hash

)

select * from capped
