{{ config(pre_hook=expect_lookups()) }}

with

questions as (

    select distinct other_record_id from {{ ref('match_review_queue') }}
    where other_record_type = 'client'

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

clients as (

    select * from {{ ref('stg_clients') }}

),

-- For reviewers, who may not read `stg_clients`.
questioned_clients as (

    select
        records.record_id,
        clients.last_name,
        clients.first_name,
        clients.middle_name,
        clients.suffix,
        clients.birth_date,
        clients.gender,
        clients.ssn,
        clients.street,
        clients.city,
        clients.zip
    from questions
    inner join records on questions.other_record_id = records.record_id
    inner join clients
        on
            records.record_hash = clients.record_hash
            and records.record_id = clients.source_id || ':' || clients.source_client_id

)

select * from questioned_clients
