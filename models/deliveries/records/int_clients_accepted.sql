-- A view, because writing a copy of every client record takes longer than deriving them
-- again. It has no CTEs, because PostgreSQL inlines only a view without CTEs: a query
-- for a few clients would otherwise compute all of them.
{{ config(materialized='view') }}

select
    clients.partner_id,
    clients.source_id,
    clients.source_client_id,
    clients.mci_id,
    clients.last_name,
    clients.first_name,
    clients.middle_name,
    clients.suffix,
    clients.birth_date,
    clients.gender,
    clients.ssn,
    clients.street,
    clients.city,
    clients.zip,
    clients.as_of_date
from {{ ref('stg_clients') }} as clients
where
    not clients.is_deleted
    and clients.load_id in (
        select deliveries.load_id from {{ ref('int_deliveries') }} as deliveries
    )
    and not exists (
        select from {{ ref('int_superseded_clients') }} as superseded_clients
        where
            superseded_clients.load_id = clients.load_id
            and superseded_clients.line_number = clients.line_number
    )
