with

services as (

    select * from {{ ref('stg_services') }}
    where not has_client

),

deliveries as (

    select
        partner_id,
        contract_object,
        load_id,
        max(as_of_date) as as_of_date
    from {{ ref('stg_deliveries') }}
    group by partner_id, contract_object, load_id

),

clients as (

    select * from {{ source('raw', 'clients') }}

),

-- A deleted client record is not an error of the source, so it does not count here.
services_without_client as (

    select
        deliveries.partner_id,
        deliveries.contract_object,
        services.source_id,
        services.source_client_id,
        max(deliveries.as_of_date) as as_of_date,
        count(*) as rows_affected
    from services
    inner join deliveries on services.load_id = deliveries.load_id
    where
        not exists (
            select from clients
            where
                {{ client_hash('clients') }} = {{ client_hash('services') }}
                and clients.source_id = services.source_id
                and clients.source_client_id = services.source_client_id
                and clients.load_id in (select d.load_id from deliveries as d)
        )
    group by
        deliveries.partner_id,
        deliveries.contract_object,
        services.source_id,
        services.source_client_id

)

select * from services_without_client
