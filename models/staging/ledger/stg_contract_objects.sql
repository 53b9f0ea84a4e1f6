with

contract_objects as (

    select
        partner_id,
        contract_object,
        snapshot
    from {{ source('landing', 'contract_objects') }}

)

select * from contract_objects
