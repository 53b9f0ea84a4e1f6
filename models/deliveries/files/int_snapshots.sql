with

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

file_feeds as (

    select * from {{ ref('int_file_feeds') }}

),

rival_objects as (

    select * from {{ ref('int_rival_objects') }}

),

newest_deliveries as (

    select distinct on (partner_id, contract_object, source_id, school_year)
        partner_id,
        contract_object,
        source_id,
        school_year,
        as_of_date,
        load_id
    from deliveries
    order by
        partner_id,
        contract_object,
        source_id,
        school_year,
        delivery_number desc

),

filled as (

    select
        newest_deliveries.partner_id,
        file_feeds.feed,
        newest_deliveries.contract_object,
        newest_deliveries.source_id,
        newest_deliveries.school_year,
        newest_deliveries.as_of_date,
        newest_deliveries.load_id
    from newest_deliveries
    inner join file_feeds on newest_deliveries.load_id = file_feeds.file_id

),

-- A snapshot gives way to a newer one of an object that took the place of its own.
snapshots as (

    select filled.*
    from filled
    where
        not exists (
            select from rival_objects
            inner join filled as rivals
                on
                    rival_objects.partner_id = rivals.partner_id
                    and rival_objects.feed = rivals.feed
                    and rival_objects.rival_object = rivals.contract_object
            where
                filled.partner_id = rival_objects.partner_id
                and filled.feed = rival_objects.feed
                and filled.contract_object = rival_objects.contract_object
                and {{ same_or_any('filled.source_id', 'rivals.source_id') }}
                and {{ same_or_any('filled.school_year', 'rivals.school_year') }}
                and (
                    filled.as_of_date < rivals.as_of_date
                    or (
                        filled.as_of_date = rivals.as_of_date
                        and rival_objects.rival_wins_a_tie
                    )
                )
        )

)

select * from snapshots
