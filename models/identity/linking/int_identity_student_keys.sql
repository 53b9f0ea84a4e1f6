{{ config(tags='incremental_linking', indexes=[{'columns': ['change']}]) }}
{% set known = linking_state('int_identity_student_keys') %}

with

key_hashes as (

    select * from {{ ref('int_identity_key_hashes') }}
    where student_key is not null

),

present as (

    select distinct
        kinds.key_type,
        kinds.key_hash
    from key_hashes
    cross join
        lateral (
            values
            {% for key_type, column in blocking_keys() %}
            ('{{ key_type }}', key_hashes.{{ column }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as kinds (key_type, key_hash)
    where kinds.key_hash is not null

),

known as (

    {% if known and not is_full_pass() %}
    select
        key_type,
        key_hash
    from {{ known }}
    where change is distinct from 'went'
    {% else %}
    select *
    from present
    where false
    {% endif %}

),

student_keys as (

    select
        coalesce(present.key_type, known.key_type) as key_type,
        coalesce(present.key_hash, known.key_hash) as key_hash,
        case
            when known.key_hash is null then 'came'
            when present.key_hash is null then 'went'
        end as change
    from present
    full outer join known
        on
            present.key_type = known.key_type
            and present.key_hash = known.key_hash

)

select * from student_keys
