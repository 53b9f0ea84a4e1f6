-- Where the planner expects too few rows, a join then costs a lookup a row, not a scan.
{{ config(indexes=[{'columns': ['load_id', 'line_number'], 'unique': true}]) }}

with

client_keys as not materialized (

    select * from {{ ref('stg_client_keys') }}

),

newest_deliveries as (

    select * from {{ ref('int_deliveries') }}
    where is_newest

),

numbered_rows as (

    select
        source_id,
        source_client_id,
        row_number() over (partition by source_id, source_client_id) as row_of_client
    from client_keys

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
        client_keys.source_id,
        client_keys.source_client_id,
        client_keys.load_id,
        client_keys.line_number,
        row_number() over (
            partition by client_keys.source_id, client_keys.source_client_id
            order by
                client_keys.updated_at desc,
                newest_deliveries.as_of_date desc,
                newest_deliveries.delivery_number desc,
                client_keys.line_number desc
        ) as recency
    from repeated_clients
    inner join client_keys using (source_id, source_client_id)
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
