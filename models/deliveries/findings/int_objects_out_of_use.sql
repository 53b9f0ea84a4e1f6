with

files as (

    select * from {{ ref('int_file_statuses') }}

),

contract_feeds as (

    select * from {{ ref('stg_contract_feeds') }}

),

rival_objects as (

    select * from {{ ref('int_rival_objects') }}

),

deliveries as (

    select distinct
        partner_id,
        as_of_date
    from files

),

-- Up to each delivery.
last_accepted as (

    select
        deliveries.partner_id,
        deliveries.as_of_date,
        files.contract_object,
        max(files.as_of_date) as last_accepted_on
    from deliveries
    inner join files
        on
            deliveries.partner_id = files.partner_id
            and deliveries.as_of_date >= files.as_of_date
    where
        files.status = 'loaded'
        and files.partner_id in (select rival_objects.partner_id from rival_objects)
    group by deliveries.partner_id, deliveries.as_of_date, files.contract_object

),

feeds_of_others as (

    select distinct
        deliveries.partner_id,
        deliveries.as_of_date,
        contract_feeds.contract_object,
        contract_feeds.feed
    from deliveries
    inner join contract_feeds using (partner_id)
    inner join rival_objects using (partner_id, contract_object, feed)
    left join last_accepted as own
        on
            deliveries.partner_id = own.partner_id
            and deliveries.as_of_date = own.as_of_date
            and contract_feeds.contract_object = own.contract_object
    inner join last_accepted as rivals
        on
            deliveries.partner_id = rivals.partner_id
            and deliveries.as_of_date = rivals.as_of_date
            and rival_objects.rival_object = rivals.contract_object
    where
        own.last_accepted_on is null
        or own.last_accepted_on < rivals.last_accepted_on
        or (
            own.last_accepted_on = rivals.last_accepted_on
            and rival_objects.rival_wins_a_tie
        )

),

feeds as (

    select
        partner_id,
        contract_object,
        count(*) as feeds
    from contract_feeds
    group by partner_id, contract_object

),

objects_out_of_use as (

    select
        feeds_of_others.partner_id,
        feeds_of_others.as_of_date,
        feeds_of_others.contract_object
    from feeds_of_others
    inner join feeds using (partner_id, contract_object)
    group by
        feeds_of_others.partner_id,
        feeds_of_others.as_of_date,
        feeds_of_others.contract_object,
        feeds.feeds
    having count(*) = feeds.feeds

)

select * from objects_out_of_use
