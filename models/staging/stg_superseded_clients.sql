-- Where the planner expects too few rows, a join then costs a lookup a row, not a scan.
{{ config(indexes=[{'columns': ['load_id', 'line_number'], 'unique': true}]) }}

with

clients as not materialized (

    select * from {{ source('raw', 'clients') }}

),

newest_deliveries as (

    select * from {{ ref('stg_deliveries') }}
    where is_newest

),

-- Most records were delivered once. The index of raw has the keys in order. Materialized,
-- because otherwise each parallel worker would read all of them.
repeated_clients as materialized (

    select
        source_id,
        source_client_id
    from clients
    group by source_id, source_client_id
    having count(*) > 1

),

-- The newest change wins; at the same time of change, the later file and line.
versions as (

    select
        clients.source_id,
        clients.source_client_id,
        clients.load_id,
        clients.line_number,
        row_number() over (
            partition by clients.source_id, clients.source_client_id
            order by
                clients.updated_at desc,
                newest_deliveries.as_of_date desc,
                newest_deliveries.delivery_number desc,
                clients.line_number desc
        ) as recency
    from repeated_clients
    inner join clients using (source_id, source_client_id)
    inner join newest_deliveries using (load_id)

),

superseded_clients as (

    select
        source_id,
        source_client_id,
        load_id,
        line_number
    from versions
    where recency > 1

)

select * from superseded_clients
