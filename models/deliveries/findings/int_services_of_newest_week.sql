-- A table, because the planner cannot tell how few of millions of services they are.
with

service_versions as not materialized (

    select * from {{ ref('int_service_versions') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

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

services_of_newest_week as (

    select
        source_id,
        source_service_id,
        source_client_id,
        load_id,
        line_number
    from service_versions
    where load_id in (select newest_deliveries.load_id from newest_deliveries)

)

select * from services_of_newest_week
