-- A view, because only `outcomes link explain` reads it, for one student.
{{ config(materialized='view') }}

with

persons as (

    select * from {{ ref('int_identity_persons') }}

),

client_decisions as (

    select * from {{ ref('int_identity_client_decisions') }}

),

client_persons as (

    select * from {{ ref('int_identity_client_persons') }}

),

records as (

    select * from {{ ref('int_identity_records') }}

),

student_decisions as (

    select * from {{ ref('int_identity_student_decisions') }}

),

match_rules as (

    select * from {{ ref('match_rules') }}

),

-- A client who is here only by a reviewer's decision has one identity. As in
-- `match_review_queue`, the first record that was compared names the client.
client_records as (

    select
        decided.client_person_id,
        coalesce(
            min(records.record_id) filter (where client_persons.is_compared),
            min(records.record_id)
        ) as first_record,
        count(*) as record_count
    from (select distinct client_person_id from client_decisions) as decided
    left join client_persons using (client_person_id)
    inner join records
        on
            coalesce(client_persons.client_identity_id, decided.client_person_id)
            = records.identity_id
    group by decided.client_person_id

),

clients as (

    select
        persons.student_key,
        client_decisions.student_identity_id,
        client_decisions.client_person_id as other_identity_id,
        'client' as record_type,
        client_records.first_record as record,
        client_records.record_count,
        client_decisions.match_weight,
        client_decisions.match_probability,
        client_decisions.decision,
        client_decisions.decided_by,
        case
            when client_decisions.person_rank > 1 then 'Another person fits better'
            else match_rules.description
        end as reason,
        client_decisions.runner_up_person_id,
        client_decisions.runner_up_weight
    from persons
    inner join client_decisions using (person_id)
    inner join client_records using (client_person_id)
    left join match_rules using (rule)

),

students as (

    select
        sides.student_key,
        student_decisions.student_identity_id,
        student_decisions.other_identity_id,
        'student' as record_type,
        sides.other_student_key as record,
        1 as record_count,
        student_decisions.match_weight,
        student_decisions.match_probability,
        student_decisions.decision,
        student_decisions.decided_by,
        match_rules.description as reason,
        null as runner_up_person_id,
        cast(null as double precision) as runner_up_weight
    from student_decisions
    cross join
        lateral (
            values
            (student_decisions.student_key, student_decisions.other_student_key),
            (student_decisions.other_student_key, student_decisions.student_key)
        ) as sides (student_key, other_student_key)
    left join match_rules using (rule)

),

candidates as (

    select * from clients
    union all
    select * from students

)

select * from candidates
