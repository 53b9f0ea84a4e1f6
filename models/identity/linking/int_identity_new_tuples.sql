{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}
{% set known = linking_state('int_identities') %}

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
    {% if known and not is_full_pass() %}
    where
        not exists (
            select from {{ known }} as known
            where known.identity_id = tuples.identity_id
        )
    {% endif %}
    order by tuples.identity_id

)

select * from new_tuples
