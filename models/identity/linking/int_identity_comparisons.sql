-- A dictionary (docs/linking.md): a build adds new pairs and changes no entry.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        indexes=[
            {'columns': ['student_identity_id', 'other_identity_id'], 'unique': true}
        ]
    )
}}

with

pairs as (

    select * from {{ ref('int_identity_pairs') }}

),

-- A materialized copy would be made by one process, without parallel workers.
identities as not materialized (

    select * from {{ ref('int_identities') }}

),

new_pairs as (

    select
        student_identity_id,
        other_identity_id
    from pairs
    {% if is_incremental() %}
    except
    select
        known.student_identity_id,
        known.other_identity_id
    from {{ this }} as known
    {% endif %}

),

comparisons as (

    select
        new_pairs.student_identity_id,
        new_pairs.other_identity_id,

        ---------- levels: null where a side has no value
        {{ match_level('last_name') }} as last_name,
        {{ match_level('first_name') }} as first_name,
        {{ match_level('middle_name') }} as middle_name,
        {{ match_level('suffix') }} as suffix,
        {{ match_level('birth_date') }} as birth_date,
        {{ match_level('gender') }} as gender,
        {{ match_level('ssn') }} as ssn,
        {{ match_level('address') }} as address,
        {{ match_level('state_id') }} as state_id,

        ---------- keys of the term frequencies
        case when students.last_name = others.last_name then students.last_name end
            as shared_last_name,
        case when students.first_name = others.first_name then students.first_name end
            as shared_first_name
    from new_pairs
    inner join identities as students
        on
            new_pairs.student_identity_id = students.identity_id
            -- Without it the planner searches all identities for them.
            and students.record_type = 'student'
    inner join identities as others
        on new_pairs.other_identity_id = others.identity_id

)

select * from comparisons
