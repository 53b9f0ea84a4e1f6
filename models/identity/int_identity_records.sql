-- A view without CTEs merges into the query that reads it (`stg_clients` says more).
{{ config(materialized='view') }}

select
    record_type,
    partner_id,
    record_id,
    record_hash,
    mci_id,
    identity_id
from {{ ref('int_identity_tuples') }}
