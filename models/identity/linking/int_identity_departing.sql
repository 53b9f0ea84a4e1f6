-- depends_on: {{ ref('stg_changed_clients') }}
{{ config(tags='incremental_linking') }}
{% set known = linking_state('int_identity_records') %}

with

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

-- Students are few: all of theirs are looked at.
known as (

    {% if known and not is_full_pass() %}
    select * from {{ known }}
    where record_type = 'student'

    union all

    select * from {{ known }}
    where
        record_type = 'client'
        and record_hash in (
            select changed_clients.record_hash
            from {{ ref('stg_changed_clients') }} as changed_clients
        )
    {% else %}
    select * from tuples
    where false
    {% endif %}

),

departing as (

    select
        known.record_hash,
        known.identity_id
    from known
    where
        not exists (
            select from tuples
            where
                tuples.record_hash = known.record_hash
                and tuples.identity_id = known.identity_id
                and tuples.mci_id is not distinct from known.mci_id
        )

)

select * from departing
