with

identities as (

    select * from {{ ref('int_identities') }}

),

names as (

    select
        'last_name' as comparison,
        last_name as name
    from identities
    where last_name is not null

    union all

    select
        'first_name' as comparison,
        first_name as name
    from identities
    where first_name is not null

),

frequencies as (

    select
        comparison,
        name,
        cast(count(*) as double precision)
        / sum(count(*)) over (partition by comparison) as frequency
    from names
    group by comparison, name

)

select * from frequencies
