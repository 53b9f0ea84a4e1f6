with

client_sources as (

    select * from {{ ref('client_sources') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

file_feeds as (

    select * from {{ ref('int_file_feeds') }}

),

services as (

    select * from {{ ref('stg_services') }}

),

service_deliveries as (

    select
        deliveries.partner_id,
        deliveries.load_id,
        deliveries.as_of_date,
        client_sources.source_id
    from deliveries
    inner join file_feeds
        on
            deliveries.load_id = file_feeds.file_id
            and file_feeds.feed = 'services'
    left join client_sources using (source_id)

),

-- A file whose name does not say its source is of every source of which the partner has
-- sent rows in such files: one of them may have nothing new.
unnamed_sources as (

    select distinct
        partner_id,
        source_id
    from services
    where
        load_id in (
            select service_deliveries.load_id from service_deliveries
            where service_deliveries.source_id is null
        )

),

delivered as (

    select
        coalesce(service_deliveries.source_id, unnamed_sources.source_id) as source_id,
        max(service_deliveries.as_of_date) as last_delivered_on
    from service_deliveries
    left join unnamed_sources
        on
            service_deliveries.source_id is null
            and service_deliveries.partner_id = unnamed_sources.partner_id
    group by coalesce(service_deliveries.source_id, unnamed_sources.source_id)

),

-- A source is complete up to its newest delivery minus its lag. One that was never
-- delivered covers nothing.
source_coverage as (

    select
        client_sources.source_id,
        client_sources.available_since,
        coalesce(
            delivered.last_delivered_on - client_sources.lag_days, date '-infinity'
        ) as available_until
    from client_sources
    left join delivered using (source_id)

)

select * from source_coverage
