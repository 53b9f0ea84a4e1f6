with

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

as_of as (

    select
        coalesce(
            cast(nullif('{{ var("as_of") }}', '') as date),
            max(as_of_date)
        ) as as_of_date
    from deliveries

),

-- A school year is named by its spring, which is six months after July 1.
as_of_with_school_year as (

    select
        as_of_date,
        cast(
            extract(year from as_of_date + interval '6 months') as integer
        ) as school_year
    from as_of

)

select * from as_of_with_school_year
