with

contract_objects as (

    select * from {{ source('landing', 'contract_objects') }}

),

contract_feeds as (

    select
        partner_id,
        contract_object,
        unnest(feeds) as feed
    from contract_objects

)

select * from contract_feeds
