select
    services.partner_id,
    services.load_id,
    services.line_number,
    services.source_id,
    services.source_service_id,
    services.source_client_id,
    services.program_code,
    program_codes.program_group,
    services.start_date as started_on,
    services.end_date as ended_on,
    services.updated_at,
    services.is_deleted
from {{ source('raw', 'services') }} as services
left join {{ ref('program_codes') }} as program_codes
    on
        services.source_id = program_codes.source_id
        and services.program_code = program_codes.program_code
