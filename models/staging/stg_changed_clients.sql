{{ config(tags='incremental_linking') }}
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

    {% if linked %}
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

link_decisions as (

    select * from {{ source('landing', 'link_decisions') }}

),

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

came as (

    select * from deliveries
    except
    select * from linked_deliveries

),

-- What an earlier as-of date takes away again.
went as (

    select * from linked_deliveries
    except
    select * from deliveries

),

differences as (

    select * from came
    union all
    select * from went

),

changed_deliveries as (

    select differences.load_id
    from identity_pass
    inner join differences on not identity_pass.is_full

),

mentioned as (

    -- An array, for a join would read all that ever landed.
    select
        source_id,
        source_client_id
    from clients
    where
        load_id = any(
            array(select changed_deliveries.load_id from changed_deliveries)
        )

    union

    -- Reviewers may decide about clients who would not be compared.
    select
        split_part(other_record_key, ':', 1) as source_id,
        split_part(other_record_key, ':', 2) as source_client_id
    from link_decisions
    where other_record_type = 'client'

),

changed_clients as (

    select
        mentioned.*,
        {{ client_hash('mentioned') }} as record_hash
    from identity_pass
    inner join mentioned on not identity_pass.is_full

)

select * from changed_clients
