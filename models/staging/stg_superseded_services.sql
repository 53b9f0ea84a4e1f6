-- Where the planner expects too few rows, a join then costs a lookup a row, not a scan.
{{ config(indexes=[{'columns': ['load_id', 'line_number'], 'unique': true}]) }}

with

services as not materialized (

    select
        *,
        hashtextextended(source_service_id, hashtextextended(source_id, 0))
            as record_hash
    from {{ source('raw', 'services') }}

),

-- A content that was delivered repeatedly counts at its newest delivery.
newest_deliveries as (

    select distinct on (load_id) *
    from {{ ref('stg_deliveries') }}
    order by load_id, as_of_date desc, delivery_number desc

),

-- Most services were delivered once; sorted hashes are grouped in parallel.
sorted_hashes as (

    select record_hash
    from services
    order by record_hash

),

repeated_services as (

    select record_hash
    from sorted_hashes
    group by record_hash
    having count(*) > 1

),

-- The newest change wins; at the same time of change, the later file and line.
versions as (

    select
        services.source_id,
        services.source_service_id,
        services.load_id,
        services.line_number,
        row_number() over (
            partition by services.source_id, services.source_service_id
            order by
                services.updated_at desc,
                newest_deliveries.as_of_date desc,
                newest_deliveries.delivery_number desc,
                services.line_number desc
        ) as recency
    from repeated_services
    inner join services using (record_hash)
    inner join newest_deliveries using (load_id)

),

superseded_services as (

    select
        source_id,
        source_service_id,
        load_id,
        line_number
    from versions
    where recency > 1

)

select * from superseded_services
