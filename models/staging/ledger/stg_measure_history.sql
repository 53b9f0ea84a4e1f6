with

measure_history as (

    select * from {{ source('publishing', 'measure_history') }}

)

select * from measure_history
