-- depends_on: {{ ref('person_crosswalk') }}
with

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

linked_deliveries as (

    select
        deliveries.load_id,
        deliveries.as_of_date,
        identity_pass.signature,
        identity_pass.clients_born_from
    from deliveries
    cross join identity_pass
    where {{ is_whole_pass() }}

)

select * from linked_deliveries
