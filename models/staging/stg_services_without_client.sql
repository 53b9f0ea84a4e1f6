with

services as not materialized (

    select * from {{ ref('stg_services') }}

),

deliveries as not materialized (

    select * from {{ ref('stg_deliveries') }}

),

clients as not materialized (

    select * from {{ source('raw', 'clients') }}

),

-- A deleted client record is not an error of the source, so it does not count here.
orphans as (

    select
        services.source_id,
        services.source_client_id,
        services.load_id
    from services
    where
        not exists (
            select from clients
            where
                clients.source_id = services.source_id
                and clients.source_client_id = services.source_client_id
                and clients.load_id in (select deliveries.load_id from deliveries)
        )

),

newest_deliveries as (

    select
        partner_id,
        contract_object,
        load_id,
        max(as_of_date) as as_of_date
    from deliveries
    group by partner_id, contract_object, load_id

),

services_without_client as (

    select
        newest_deliveries.partner_id,
        newest_deliveries.contract_object,
        orphans.source_id,
        orphans.source_client_id,
        max(newest_deliveries.as_of_date) as as_of_date,
        count(*) as rows_affected
    from orphans
    inner join newest_deliveries using (load_id)
    group by
        newest_deliveries.partner_id,
        newest_deliveries.contract_object,
        orphans.source_id,
        orphans.source_client_id

)

select * from services_without_client
