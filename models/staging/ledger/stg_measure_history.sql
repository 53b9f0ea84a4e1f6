with

measure_history as (

    select * from {{ source('landing', 'measure_history') }}

)

select * from measure_history
