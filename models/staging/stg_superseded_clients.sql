-- depends_on: {{ ref('stg_changed_clients') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=[
            begin_linking_pass(),
            delete_before_append(
                "(this.source_id, this.source_client_id) in (
                    select source_id, source_client_id
                    from {{ ref('stg_changed_clients') }}
                )"
            ),
        ]
    )
}}

with

clients as (

    select * from {{ source('raw', 'clients') }}

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
            partition by clients.source_id, clients.source_client_id
            order by
                clients.updated_at desc,
                newest_deliveries.as_of_date desc,
                newest_deliveries.delivery_number desc,
                clients.line_number desc
        ) as recency
    from clients
    inner join newest_deliveries on clients.load_id = newest_deliveries.load_id
    {% if is_incremental() %}
    inner join {{ ref('stg_changed_clients') }} as changed_clients
        on
            clients.source_id = changed_clients.source_id
            and clients.source_client_id = changed_clients.source_client_id
    {% endif %}

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
