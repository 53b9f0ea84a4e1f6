-- depends_on: {{ source('raw', 'clients') }}, {{ ref('stg_changed_clients') }}
{{ config(tags='incremental_linking') }}

with

{% if is_full_pass() %}
clients as (

    select * from {{ source('raw', 'clients') }}

),

-- Sorted as numbers, and before they are counted, which several processes can do: the
-- records themselves take five times as long.
sorted_hashes as (

    select {{ client_hash('clients') }} as record_hash
    from clients
    order by record_hash

),

repeated_clients as (

    select record_hash
    from sorted_hashes
    group by record_hash
    having count(*) > 1

)

{% else %}
changed_clients as (

    select * from {{ ref('stg_changed_clients') }}

),

-- In the order of the index, so that one page of it serves several look-ups.
repeated_clients as (

    select distinct record_hash
    from changed_clients
    order by record_hash

)

{% endif %}
select * from repeated_clients
