with

queued_persons as (

    select distinct person_id
    from {{ ref('match_review_queue') }}
    where other_record_type = 'client'

),

client_links as (

    select * from {{ ref('int_identity_client_links') }}
    where decision in ('review', 'link')

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

clients as (

    select * from {{ ref('int_clients_accepted') }}

),

linked_records as (

    select
        client_links.client_person_id,
        client_links.person_id,
        client_links.decision,
        records.record_id
    from queued_persons
    inner join client_links using (person_id)
    inner join records on client_links.client_identity_id = records.identity_id

),

-- Of many client records, only those that reviewers see: found by the key's index. No
-- source has a colon in its id.
review_clients as (

    select
        linked_records.record_id,
        linked_records.client_person_id,
        linked_records.person_id,
        linked_records.decision,
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
    from linked_records
    inner join clients
        on
            split_part(linked_records.record_id, ':', 1) = clients.source_id
            and substr(
                linked_records.record_id, strpos(linked_records.record_id, ':') + 1
            ) = clients.source_client_id

)

select * from review_clients
