-- depends_on: {{ ref('stg_changed_clients') }}
{{ config(tags='incremental_linking') }}
{% set known = linking_state('int_identity_records') %}

with

-- Students are few: all of theirs are taken out and put in again.
departing as (

    {% if known and not is_full_pass() %}
    select
        record_type,
        record_hash,
        identity_id
    from {{ known }}
    where
        record_type = 'student'
        or record_hash in (
            select changed_clients.record_hash
            from {{ ref('stg_changed_clients') }} as changed_clients
        )
    {% else %}
    select
        cast(null as text) as record_type,
        cast(null as bigint) as record_hash,
        cast(null as uuid) as identity_id
    where false
    {% endif %}

)

select * from departing
