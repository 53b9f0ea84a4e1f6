-- depends_on: {{ ref('int_identity_pass') }}, {{ ref('int_identity_reblocked') }}
{{ config(tags='incremental_linking', pre_hook=expect_lookups()) }}
{#- A full pass looks for all pairs, any other for those of a reblocked side. -#}
{%- set sides = ['all'] if is_full_pass() else ['students', 'others'] %}

with

keys as (

    select * from {{ ref('int_identity_keys') }}

),

blocks as (

    select * from {{ ref('int_identity_blocks') }}
    where not is_dropped

),

open_keys as not materialized (

    select keys.*
    from blocks
    inner join keys
        on
            blocks.key_type = keys.key_type
            and blocks.key_hash = keys.key_hash

),

{% if not is_full_pass() %}
reblocked as not materialized (

    select * from {{ ref('int_identity_reblocked') }}

),

{% endif %}
shared_keys as (

    {% for side in sides %}
    select
        students.key_type,
        students.identity_id as student_identity_id,
        others.identity_id as other_identity_id,
        students.student_key,
        others.student_key as other_student_key
    from open_keys as students
    inner join open_keys as others
        on
            students.key_type = others.key_type
            and students.key_hash = others.key_hash
            and (
                others.student_key is null
                or students.student_key < others.student_key
            )
    {% if not is_full_pass() %}
    inner join reblocked on {{ side }}.identity_id = reblocked.identity_id
    {% endif %}
    where students.student_key is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

pairs as (

    select
        student_identity_id,
        other_identity_id,
        student_key,
        other_student_key,
        case
            when other_student_key is null then 'student_client' else 'student_student'
        end
            as pair_type,
        array_agg(distinct key_type order by key_type) as key_types
    from shared_keys
    group by
        student_identity_id,
        other_identity_id,
        student_key,
        other_student_key

)

select * from pairs
