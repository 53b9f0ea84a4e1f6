with

contract_objects as (

    select * from {{ source('landing', 'contract_objects') }}

)

select * from contract_objects
