with

snapshots as (

    select * from {{ ref('int_snapshots') }}

),

feeds_delivered as (

    select
        partner_id,
        school_year,
        feed,
        max(as_of_date) as as_of_date
    from snapshots
    where school_year is not null
    group by partner_id, school_year, feed

)

select * from feeds_delivered
