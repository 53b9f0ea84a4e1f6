with

service_versions as not materialized (

    select * from {{ ref('int_service_versions') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

-- A deleted client record is not an error of the source, so it does not count here.
clients as not materialized (

    select
        source_id,
        source_client_id
    from {{ ref('stg_clients') }}
    where load_id in (select deliveries.load_id from deliveries)

),

-- A week's services are few, so their clients are looked up, where those of all years
-- would mean reading all clients. A build per week lists the faults of every delivery.
dated_deliveries as (

    select
        load_id,
        as_of_date,
        max(as_of_date) over (
            partition by partner_id, contract_object, source_id
        ) as newest_date
    from deliveries

),

newest_deliveries as (

    select load_id
    from dated_deliveries
    where as_of_date > newest_date - 7

),

versions_without_client as (

    select
        source_id,
        source_service_id,
        load_id,
        line_number
    from service_versions
    where
        load_id in (select newest_deliveries.load_id from newest_deliveries)
        and not exists (
            select from clients
            where
                clients.source_id = service_versions.source_id
                and clients.source_client_id = service_versions.source_client_id
        )

),

doubtful_services as (

    select distinct
        source_id,
        source_service_id
    from versions_without_client

),

-- A newer version may have corrected the client.
services as (

    select distinct on (source_id, source_service_id) service_versions.*
    from doubtful_services
    inner join service_versions using (source_id, source_service_id)
    order by
        source_id,
        source_service_id,
        {{ newest_service_version('service_versions') }}

),

services_without_client as (

    select
        services.partner_id,
        services.contract_object,
        services.source_id,
        services.source_client_id,
        max(services.as_of_date) as as_of_date,
        count(*) as rows_affected
    from services
    inner join versions_without_client using (load_id, line_number)
    where not services.is_deleted
    group by
        services.partner_id,
        services.contract_object,
        services.source_id,
        services.source_client_id

)

select * from services_without_client
