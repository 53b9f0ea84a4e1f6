-- depends_on: {{ ref('int_identity_gone') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        indexes=[{'columns': ['identity_id']}],
        pre_hook=[plan_for_pass(), delete_gone_and_new()]
    )
}}

with

new_tuples as (

    select * from {{ ref('int_identity_new_tuples') }}

),

spellings as not materialized (

    select * from {{ ref('int_identity_spellings') }}

),

streets as (

    select * from {{ ref('int_identity_streets') }}

),

identities as (

    select
        new_tuples.identity_id,
        new_tuples.record_type,
        new_tuples.student_key,
        new_tuples.state_student_id,
        last_names.name as last_name,
        last_names.name_sound as last_name_sound,
        last_names.name_tokens as last_name_tokens,
        first_names.name as first_name,
        first_names.name_sound as first_name_sound,
        middle_names.middle_name,
        coalesce(
            suffixes.suffix_alone,
            last_names.suffix_behind,
            first_names.suffix_behind,
            middle_names.suffix_alone
        ) as suffix,
        new_tuples.birth_date,
        new_tuples.gender,
        {{ function('valid_ssn') }}(new_tuples.ssn) as ssn,
        streets.normalized_street as street,
        nullif(left(new_tuples.zip, 5), '') as zip
    from new_tuples
    left join spellings as last_names on new_tuples.last_name = last_names.spelling
    left join spellings as first_names on new_tuples.first_name = first_names.spelling
    left join spellings as middle_names
        on new_tuples.middle_name = middle_names.spelling
    left join spellings as suffixes on new_tuples.suffix = suffixes.spelling
    left join streets on new_tuples.street = streets.street

)

select * from identities
