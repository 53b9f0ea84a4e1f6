-- depends_on: {{ ref('int_identity_pass') }}, {{ ref('int_identity_reblocked') }}
{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}
{#- A full pass looks for all pairs, any other for those of a reblocked side. -#}
{%- set begun = ['students'] if is_full_pass() else ['students', 'others'] %}

with

keys as not materialized (

    select * from {{ ref('int_identity_keys') }}

),

blocks as (

    select * from {{ ref('int_identity_blocks') }}
    where not is_dropped

),

-- The few of a pass are copied, so that they are looked up once.
begun as {{ 'not' if is_full_pass() }} materialized (

    select keys.*
    from keys
    {% if not is_full_pass() %}
    inner join {{ ref('int_identity_reblocked') }} as reblocked
        on keys.identity_id = reblocked.identity_id
    {% endif %}
    inner join blocks
        on
            keys.key_type = blocks.key_type
            and keys.key_hash = blocks.key_hash

),

shared_keys as (

    {% for side in begun %}
    select
        students.key_type,
        students.identity_id as student_identity_id,
        others.identity_id as other_identity_id,
        students.student_key,
        others.student_key as other_student_key
    from {{ 'begun' if side == 'students' else 'keys' }} as students
    inner join {{ 'begun' if side == 'others' else 'keys' }} as others
        on
            students.key_type = others.key_type
            and students.key_hash = others.key_hash
            and (
                others.student_key is null
                or students.student_key < others.student_key
            )
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
