-- Where the planner expects too few rows, a join then costs a lookup a row, not a scan.
{{ config(indexes=[{'columns': ['load_id', 'line_number'], 'unique': true}]) }}

with

clients as not materialized (

    select * from {{ ref('stg_clients') }}

),

newest_deliveries as (

    select * from {{ ref('int_deliveries') }}
    where is_newest

),

-- The index of raw has the keys in order.
numbered_rows as (

    select
        source_id,
        source_client_id,
        row_number() over (partition by source_id, source_client_id) as row_of_client
    from clients

),

-- Most clients were delivered once.
repeated_clients as (

    select
        source_id,
        source_client_id
    from numbered_rows
    where row_of_client = 2

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
