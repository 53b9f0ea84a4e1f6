with

services_of_week as (

    select * from {{ ref('int_services_of_newest_week') }}

),

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

versions_without_client as (

    select *
    from services_of_week
    where
        not exists (
            select from clients
            where
                clients.source_id = services_of_week.source_id
                and clients.source_client_id = services_of_week.source_client_id
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
