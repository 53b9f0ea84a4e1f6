with

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

newest as (

    select
        partner_id,
        contract_object,
        source_id,
        school_year,
        as_of_date,
        load_id,
        row_number() over (
            partition by partner_id, contract_object, source_id, school_year
            order by delivery_number desc
        ) as recency
    from deliveries

),

snapshots as (

    select
        partner_id,
        contract_object,
        source_id,
        school_year,
        as_of_date,
        load_id
    from newest
    where recency = 1

)

select * from snapshots
