with

replaced_objects as (

    select * from {{ ref('stg_replaced_objects') }}

),

rival_objects as (

    select
        partner_id,
        feed,
        replaced_object as contract_object,
        contract_object as rival_object,
        true as rival_wins_a_tie
    from replaced_objects
    union all
    select
        partner_id,
        feed,
        contract_object,
        replaced_object as rival_object,
        false as rival_wins_a_tie
    from replaced_objects

)

select * from rival_objects
