with

questions as (

    select distinct
        split_part(other_record_id, ':', 1) as source_id,
        split_part(other_record_id, ':', 2) as source_client_id
    from {{ ref('match_review_queue') }}
    where other_record_type = 'client'

),

clients as (

    select * from {{ ref('stg_clients') }}

),

-- For reviewers, who may not read `stg_clients`.
questioned_clients as (

    select
        clients.source_id || ':' || clients.source_client_id as record_id,
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
    inner join clients
        on
            {{ client_hash('questions') }} = clients.record_hash
            and questions.source_id = clients.source_id
            and questions.source_client_id = clients.source_client_id

)

select * from questioned_clients
