-- A view: a copy of every client record would take longer to write than to make again.
{{ config(materialized='view') }}

with

clients as (

    select * from {{ source('raw', 'clients') }}

),

loads as (

    select distinct load_id from {{ ref('stg_deliveries') }}

),

superseded_clients as (

    select * from {{ ref('stg_superseded_clients') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

current_clients as (

    select
        clients.source_id,
        clients.source_client_id,
        clients.mci_id,
        clients.last_name,
        clients.first_name,
        clients.middle_name,
        clients.suffix,
        nullif(clients.birth_date, date '1900-01-01') as birth_date,
        nullif(genders.code, 'unknown') as gender,
        clients.race,
        clients.ssn,
        clients.street,
        clients.city,
        clients.zip,
        clients.updated_at,
        clients.as_of_date
    from clients
    inner join loads on clients.load_id = loads.load_id
    left join superseded_clients
        on
            clients.load_id = superseded_clients.load_id
            and clients.line_number = superseded_clients.line_number
    left join code_crosswalk as genders
        on
            genders.domain = 'gender'
            and clients.partner_id = genders.partner_id
            and clients.sex = genders.source_code
    where superseded_clients.load_id is null and not clients.is_deleted

)

select * from current_clients
