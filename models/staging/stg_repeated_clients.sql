with

clients as (

    select * from {{ source('raw', 'clients') }}

),

-- The index of raw has the keys in order.
repeated_clients as (

    select
        source_id,
        source_client_id
    from clients
    group by source_id, source_client_id
    having count(*) > 1

)

select * from repeated_clients
