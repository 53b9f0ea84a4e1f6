{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=[
            begin_linking_pass(),
            expect_lookups(),
            delete_before_append(
                client_hash('this') ~ " in (
                    select record_hash from {{ ref('stg_repeated_clients') }}
                )"
            ),
        ],
        post_hook=know_combinations('load_id, line_number')
    )
}}

with

clients as (

    select * from {{ source('raw', 'clients') }}

),

repeated_clients as (

    select * from {{ ref('stg_repeated_clients') }}

),

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

-- The same content may have been delivered more than once.
newest_deliveries as (

    select distinct on (load_id) *
    from deliveries
    order by load_id, as_of_date desc, delivery_number desc

),

-- The newest change wins; where two carry the same time, the later file and line.
versions as (

    select
        clients.source_id,
        clients.source_client_id,
        clients.load_id,
        clients.line_number,
        row_number() over (
            -- The hash sorts sooner than the texts that it stands for.
            partition by
                repeated_clients.record_hash,
                clients.source_id,
                clients.source_client_id
            order by
                clients.updated_at desc,
                newest_deliveries.as_of_date desc,
                newest_deliveries.delivery_number desc,
                clients.line_number desc
        ) as recency
    from repeated_clients
    inner join clients on repeated_clients.record_hash = {{ client_hash('clients') }}
    inner join newest_deliveries on clients.load_id = newest_deliveries.load_id

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
