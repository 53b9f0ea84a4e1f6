-- depends_on: {{ ref('int_identity_reblocked') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=[plan_for_pass(), delete_reblocked()]
    )
}}

with

pairs as (

    select * from {{ ref('int_identity_pairs') }}

),

-- Read twice: a copy of it would be made by one process alone.
features as not materialized (

    select * from {{ ref('int_identity_features') }}

),

comparisons as (

    select
        pairs.student_identity_id,
        pairs.other_identity_id,
        pairs.pair_type,
        pairs.student_key,
        pairs.other_student_key,
        pairs.key_types,

        ---------- levels: null where a side does not say
        {{ match_level('last_name') }} as last_name,
        {{ match_level('first_name') }} as first_name,
        {{ match_level('middle_name') }} as middle_name,
        {{ match_level('suffix') }} as suffix,
        {{ match_level('birth_date') }} as birth_date,
        {{ match_level('gender') }} as gender,
        {{ match_level('ssn') }} as ssn,
        {{ match_level('address') }} as address,
        {{ match_level('state_id') }} as state_id,

        ---------- what the term-frequency adjustment looks up
        case when students.last_name = others.last_name then students.last_name end
            as shared_last_name,
        case when students.first_name = others.first_name then students.first_name end
            as shared_first_name
    from pairs
    inner join features as students
        on
            pairs.student_identity_id = students.identity_id
            -- Else the planner looks for them among all identities.
            and students.record_type = 'student'
    inner join features as others
        on pairs.other_identity_id = others.identity_id

)

select * from comparisons
