-- A view of all versions: to sort 24 million services for their newest ones would take
-- long, and only those of linked clients are needed. No CTEs, as in
-- `int_clients_accepted`.
{{ config(materialized='view') }}

select
    services.source_id,
    services.source_service_id,
    services.source_client_id,
    services.program_code,
    services.program_group,
    services.started_on,
    services.ended_on,
    services.updated_at,
    services.is_deleted,
    deliveries.partner_id,
    deliveries.contract_object,
    deliveries.as_of_date,
    deliveries.delivery_number,
    services.load_id,
    services.line_number
from {{ ref('stg_services') }} as services
inner join {{ ref('int_deliveries') }} as deliveries
    on services.load_id = deliveries.load_id and deliveries.is_newest
