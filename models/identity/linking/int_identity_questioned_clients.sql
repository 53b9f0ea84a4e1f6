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

    select
        clients.*,
        clients.source_id || ':' || clients.source_client_id as record_id
    from {{ ref('stg_clients') }} as clients

),

-- For reviewers, who may not read `stg_clients`. Found in two steps, as in
-- `person_crosswalk`.
questioned_clients as (

    select
        record_id,
        last_name,
        first_name,
        middle_name,
        suffix,
        birth_date,
        gender,
        ssn,
        street,
        city,
        zip
    from clients
    where
        record_hash in (
            select records.record_hash
            from records
            inner join questions on records.record_id = questions.other_record_id
        )
        and record_id in (select questions.other_record_id from questions)

)

select * from questioned_clients
