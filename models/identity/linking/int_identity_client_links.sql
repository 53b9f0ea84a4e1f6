-- depends_on: {{ ref('int_identity_relinked') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=[
            begin_linking_pass(),
            delete_before_append(
                "this.client_identity_id in (
                    select client_identity_id from {{ ref('int_identity_relinked') }}
                )"
            ),
        ]
    )
}}

with

client_outcomes as (

    select * from {{ ref('int_identity_client_outcomes') }}

),

client_links as (

    select * from client_outcomes
    {% if is_incremental() %}
    where
        client_identity_id in (
            select relinked.client_identity_id
            from {{ ref('int_identity_relinked') }} as relinked
        )
    {% endif %}

)

select * from client_links
