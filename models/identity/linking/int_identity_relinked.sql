{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}
{% set known = linking_state('int_identity_client_links') %}

with

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

client_outcomes as (

    select * from {{ ref('int_identity_client_outcomes') }}

),

known as (

    {% if known and not is_full_pass() %}
    select * from {{ known }}
    {% else %}
    select * from client_outcomes
    where false
    {% endif %}

),

-- Rows are compared as a whole.
relinked as (

    select
        coalesce(client_outcomes.client_identity_id, known.client_identity_id)
            as client_identity_id
    from client_outcomes
    full outer join known
        on client_outcomes.client_identity_id = known.client_identity_id
    where
        client_outcomes is distinct from known
        and (select not identity_pass.is_full from identity_pass)

)

select * from relinked
