with

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

snapshots as (

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

)

select * from snapshots
