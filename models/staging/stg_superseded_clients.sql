-- depends_on: {{ ref('stg_changed_clients') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=[
            begin_linking_pass(),
            plan_for_pass(),
            delete_before_append(
                client_hash('this') ~ " in (
                    select record_hash from {{ ref('stg_changed_clients') }}
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

-- Records that come once are told apart by a number: sorting the records themselves
-- takes five times as long.
numbered as {{ 'not' if not is_incremental() }} materialized (

    select
        clients.source_id,
        clients.source_client_id,
        clients.load_id,
        clients.line_number,
        clients.updated_at,
        {{ client_hash('clients') }} as record_hash
    from clients
    {% if is_incremental() %}
    inner join {{ ref('stg_changed_clients') }} as changed_clients
        on {{ client_hash('clients') }} = changed_clients.record_hash
    {% endif %}

),

sorted_hashes as (

    select record_hash from numbered
    order by record_hash

),

repeated as (

    select record_hash
    from sorted_hashes
    group by record_hash
    having count(*) > 1

),

-- The newest change wins; where two carry the same time, the later file and line.
versions as (

    select
        numbered.source_id,
        numbered.source_client_id,
        numbered.load_id,
        numbered.line_number,
        row_number() over (
            -- The hash sorts sooner than the texts that it stands for.
            partition by
                numbered.record_hash,
                numbered.source_id,
                numbered.source_client_id
            order by
                numbered.updated_at desc,
                newest_deliveries.as_of_date desc,
                newest_deliveries.delivery_number desc,
                numbered.line_number desc
        ) as recency
    from numbered
    inner join repeated on numbered.record_hash = repeated.record_hash
    inner join newest_deliveries on numbered.load_id = newest_deliveries.load_id

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
