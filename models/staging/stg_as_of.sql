with

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

as_of as (

    select
        coalesce(
            cast(nullif('{{ var("as_of") }}', '') as date),
            max(as_of_date)
        ) as as_of_date
    from deliveries

)

select * from as_of
