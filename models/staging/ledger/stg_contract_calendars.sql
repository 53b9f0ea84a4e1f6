with

contract_calendars as (

    select * from {{ source('landing', 'contract_calendars') }}

)

select * from contract_calendars
