with

clients as (

    select * from {{ source('raw', 'clients') }}

),

deliveries as (

    select * from {{ ref('stg_deliveries') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

-- The newest change wins; where two carry the same time, the later file and line.
latest as (

    select distinct on (clients.source_id, clients.source_client_id) clients.*
    from clients
    inner join deliveries on clients.load_id = deliveries.load_id
    order by
        clients.source_id,
        clients.source_client_id,
        clients.updated_at desc,
        deliveries.as_of_date desc,
        deliveries.delivery_number desc,
        clients.line_number desc

),

current_clients as (

    select
        latest.source_id,
        latest.source_client_id,
        latest.mci_id,
        latest.last_name,
        latest.first_name,
        latest.middle_name,
        latest.suffix,
        nullif(latest.birth_date, date '1900-01-01') as birth_date,
        nullif(genders.code, 'unknown') as gender,
        latest.race,
        latest.ssn,
        latest.street,
        latest.city,
        latest.zip,
        latest.updated_at
    from latest
    left join code_crosswalk as genders
        on
            genders.domain = 'gender'
            and latest.partner_id = genders.partner_id
            and latest.sex = genders.source_code
    where not latest.is_deleted

)

select * from current_clients
