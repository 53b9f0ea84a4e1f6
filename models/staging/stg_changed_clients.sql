{% set linked = linking_state('int_identity_linked_deliveries') %}

with

clients as (

    select * from {{ source('raw', 'clients') }}

),

deliveries as (

    select
        load_id,
        as_of_date
    from {{ ref('stg_deliveries') }}

),

linked_deliveries as (

    {% if linked is not none %}
    select
        load_id,
        as_of_date
    from {{ linked }}
    {% else %}
    select *
    from deliveries
    where false
    {% endif %}

),

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

-- What came, and what an earlier as-of date takes away again.
changed_deliveries as (

    (select * from deliveries except select * from linked_deliveries)
    union
    (select * from linked_deliveries except select * from deliveries)

),

changed_clients as (

    select distinct
        clients.source_id,
        clients.source_client_id
    from changed_deliveries
    cross join identity_pass
    inner join clients on changed_deliveries.load_id = clients.load_id
    where not identity_pass.is_full

)

select * from changed_clients
