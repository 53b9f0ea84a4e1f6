-- depends_on: {{ ref('int_identity_departing') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        indexes=[{'columns': ['identity_id']}, {'columns': ['mci_id']}],
        pre_hook=[
            expect_lookups(),
            delete_before_append(
                "(this.identity_id, this.record_hash) in (
                    select identity_id, record_hash
                    from {{ ref('int_identity_departing') }}
                    union all
                    select identity_id, record_hash
                    from {{ ref('int_identity_tuples') }}
                )"
            ),
        ]
    )
}}

with

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

records as (

    select
        record_type,
        partner_id,
        record_id,
        record_hash,
        mci_id,
        identity_id
    from tuples

)

select * from records
