with

services as (

    select * from {{ source('raw', 'services') }}

),

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

clients as (

    select * from {{ ref('stg_clients') }}

),

program_codes as (

    select * from {{ ref('program_codes') }}

),

-- The newest change wins; at the same time of change, the later file and line.
latest_changes as (

    select distinct on (services.source_id, services.source_service_id)
        services.source_id,
        services.source_service_id,
        services.source_client_id,
        services.program_code,
        services.start_date,
        services.end_date,
        services.is_deleted,
        services.load_id
    from services
    inner join deliveries on services.load_id = deliveries.load_id
    order by
        services.source_id,
        services.source_service_id,
        services.updated_at desc,
        deliveries.as_of_date desc,
        deliveries.delivery_number desc,
        services.line_number desc

),

-- The client record may have been deleted or rejected, or may arrive after the service.
current_services as (

    select
        latest_changes.source_id,
        latest_changes.source_service_id,
        latest_changes.source_client_id,
        latest_changes.program_code,
        program_codes.program_group,
        latest_changes.start_date as started_on,
        latest_changes.end_date as ended_on,
        clients.source_client_id is not null as has_client,
        latest_changes.load_id
    from latest_changes
    left join clients
        on
            latest_changes.source_id = clients.source_id
            and latest_changes.source_client_id = clients.source_client_id
    left join program_codes
        on
            latest_changes.source_id = program_codes.source_id
            and latest_changes.program_code = program_codes.program_code
    where not latest_changes.is_deleted

)

select * from current_services
