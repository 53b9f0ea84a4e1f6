with

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

contract_feeds as (

    select * from {{ ref('stg_contract_feeds') }}

),

feeds_delivered as (

    select
        snapshots.partner_id,
        snapshots.school_year,
        contract_feeds.feed,
        max(snapshots.as_of_date) as as_of_date
    from snapshots
    inner join contract_feeds using (partner_id, contract_object)
    where snapshots.school_year is not null
    group by snapshots.partner_id, snapshots.school_year, contract_feeds.feed

)

select * from feeds_delivered
