-- depends_on: {{ ref('int_identity_departing') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        indexes=[{'columns': ['identity_id']}],
        pre_hook=[
            plan_for_pass(),
            delete_before_append(
                "(this.identity_id, this.record_hash) in (
                    select identity_id, record_hash
                    from {{ ref('int_identity_departing') }}
                )"
            ),
        ]
    )
}}

with

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

-- Most records of a pass say what they said before.
records as (

    select
        tuples.record_type,
        tuples.partner_id,
        tuples.record_id,
        tuples.record_hash,
        tuples.mci_id,
        tuples.identity_id
    from tuples
    {% if is_incremental() %}
    where
        not exists (
            select from {{ this }} as known
            where
                known.identity_id = tuples.identity_id
                and known.record_hash = tuples.record_hash
        )
    {% endif %}

)

select * from records
