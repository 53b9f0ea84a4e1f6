-- depends_on: {{ ref('int_identity_gone') }}, {{ ref('int_identity_new_tuples') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        indexes=[{'columns': ['identity_id']}, {'columns': ['key_hash']}],
        pre_hook=[
            plan_for_pass(),
            hash_millions(),
            delete_gone_and_new(),
            delete_before_append(
                "exists (
                    select from {{ ref('int_identity_student_keys') }} as student_keys
                    where
                        student_keys.change is not null
                        and student_keys.key_type = this.key_type
                        and student_keys.key_hash = this.key_hash
                )"
            ),
        ]
    )
}}
{#- A pass meets all keys of a new identity, and the keys that came to the students. -#}
{%- set meetings = [('new_identities', 'student_keys'), ('met', 'came')]
    if is_incremental() else [('key_hashes', 'student_keys')] %}

with

key_hashes as not materialized (

    select * from {{ ref('int_identity_key_hashes') }}

),

student_keys as not materialized (

    select * from {{ ref('int_identity_student_keys') }}
    where change is distinct from 'went'

),

{% if is_incremental() %}
new_identities as (

    select * from key_hashes
    where
        identity_id in (
            select new_tuples.identity_id
            from {{ ref('int_identity_new_tuples') }} as new_tuples
        )

),

came as not materialized (

    select * from student_keys
    where change = 'came'

),

met as (

    select * from key_hashes
    where
        false
        {% for _, column in blocking_keys() %}
        or {{ column }} in (select came.key_hash from came)
        {% endfor %}

),

{% endif %}
-- Read once for each kind: a small join over narrow rows for each takes a third of the
-- time of one join over a row for each kind and identity. A key that no student has
-- makes no pair.
keys as (

    {% for identities, sought in meetings %}
    {% set is_last_meeting = loop.last %}
    {% for key_type, column in blocking_keys() %}
    select
        '{{ key_type }}' as key_type,
        {{ column }} as key_hash,
        identity_id,
        student_key
    from {{ identities }}
    where
        {{ column }} in (
            select {{ sought }}.key_hash from {{ sought }}
            where {{ sought }}.key_type = '{{ key_type }}'
        )
    {{ 'union' if not (loop.last and is_last_meeting) }}
    {% endfor %}
    {% endfor %}

)

select * from keys
