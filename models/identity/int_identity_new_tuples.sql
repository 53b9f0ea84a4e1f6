{% set known = linking_state('int_identities') %}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook="{% if is_incremental() %}truncate {{ this }}{% endif %}"
    )
}}

with

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

-- Clients repeat themselves: one record speaks for all that say the same.
new_tuples as (

    select distinct on (tuples.identity_id)
        tuples.identity_id,
        tuples.record_type,
        tuples.student_key,
        tuples.state_student_id,
        tuples.last_name,
        tuples.first_name,
        tuples.middle_name,
        tuples.suffix,
        tuples.birth_date,
        tuples.gender,
        tuples.ssn,
        tuples.street,
        tuples.zip
    from tuples
    {% if is_incremental() and known %}
    where
        not exists (
            select from {{ known }} as known
            where known.identity_id = tuples.identity_id
        )
    {% endif %}
    order by tuples.identity_id

)

select * from new_tuples
