with

partners as (

    select * from {{ source('landing', 'partners') }}

)

select * from partners
