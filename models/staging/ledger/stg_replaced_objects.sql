with

replaced_objects as (

    select * from {{ source('landing', 'replaced_objects') }}

)

select * from replaced_objects
