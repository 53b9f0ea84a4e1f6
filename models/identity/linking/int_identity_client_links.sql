with

client_decisions as (

    select * from {{ ref('int_identity_client_decisions') }}
    where person_rank = 1

),

client_persons as (

    select * from {{ ref('int_identity_client_persons') }}

),

-- All identities of a client have its decision. A client who is reviewed without having
-- been compared is not among client_persons; the decision names the client's identity.
client_links as (

    select
        coalesce(
            client_persons.client_identity_id, client_decisions.client_person_id
        ) as client_identity_id,
        client_decisions.client_person_id,
        client_decisions.student_identity_id,
        client_decisions.student_key,
        client_decisions.person_id,
        client_decisions.match_weight,
        client_decisions.evidence,
        client_decisions.match_probability,
        client_decisions.runner_up_person_id,
        client_decisions.runner_up_weight,
        client_decisions.rule,
        client_decisions.decision,
        case
            when
                client_decisions.decided_by = 'model'
                and not client_persons.is_compared
                then 'id'
            else client_decisions.decided_by
        end as decided_by
    from client_decisions
    left join client_persons using (client_person_id)

)

select * from client_links
