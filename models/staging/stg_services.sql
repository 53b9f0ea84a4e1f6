-- A view without CTEs, for the reason given in `stg_clients`.
{{ config(materialized='view') }}

select
    services.source_id,
    services.source_service_id,
    services.source_client_id,
    services.program_code,
    program_codes.program_group,
    services.start_date as started_on,
    services.end_date as ended_on,
    services.load_id
from {{ source('raw', 'services') }} as services
left join {{ ref('program_codes') }} as program_codes
    on
        services.source_id = program_codes.source_id
        and services.program_code = program_codes.program_code
where
    not services.is_deleted
    and services.load_id in (
        select deliveries.load_id from {{ ref('stg_deliveries') }} as deliveries
    )
    and not exists (
        select from {{ ref('stg_superseded_services') }} as superseded_services
        where
            superseded_services.load_id = services.load_id
            and superseded_services.line_number = services.line_number
    )
