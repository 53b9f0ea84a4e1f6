with

client_decisions as (

    select * from {{ ref('int_identity_client_decisions') }}
    where person_rank = 1

),

followers as (

    select * from {{ ref('int_identity_followers') }}

),

client_links as (

    select
        coalesce(client_decisions.client_identity_id, followers.client_identity_id)
            as client_identity_id,
        client_decisions.student_identity_id,
        coalesce(followers.student_key, client_decisions.student_key) as student_key,
        coalesce(followers.person_id, client_decisions.person_id) as person_id,
        case
            when followers.person_id is null then client_decisions.match_weight
            else followers.match_weight
        end as match_weight,
        case
            when followers.person_id is null then client_decisions.match_probability
            else followers.match_probability
        end as match_probability,
        client_decisions.runner_up_person_id,
        client_decisions.runner_up_weight,
        client_decisions.rule,
        case
            when followers.person_id is null then client_decisions.decision
            else 'link'
        end as decision,
        case
            when followers.person_id is null then client_decisions.decided_by
            else 'id'
        end as decided_by
    from client_decisions
    full outer join followers
        on client_decisions.client_identity_id = followers.client_identity_id

)

select * from client_links
