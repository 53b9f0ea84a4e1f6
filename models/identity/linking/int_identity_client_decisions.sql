with

candidates as (

    select * from {{ ref('int_identity_client_candidates') }}

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- One person at most: the newest reviewed link wins, and who was refused comes last.
ranked as (

    select
        *,
        row_number() over by_weight as person_rank,
        lead(person_id) over by_weight as next_person_id,
        lead(match_weight) over by_weight as next_weight,
        coalesce(lead(reviewed_decision) over by_weight = 'no_link', false)
            as is_next_refused,
        bool_or(is_namesake) over (partition by client_identity_id) as has_namesake
    from candidates
    window by_weight as (
        partition by client_identity_id
        order by
            case
                when reviewed_decision = 'link' then decision_id
                when reviewed_decision = 'no_link' then -1
                else 0
            end desc,
            match_weight desc nulls last,
            person_id
    )

),

-- A client is one person: only the best candidate can be it, and only if it stands out.
ruled as (

    select
        ranked.*,
        case when not ranked.is_next_refused then ranked.next_person_id end
            as runner_up_person_id,
        case when not ranked.is_next_refused then ranked.next_weight end
            as runner_up_weight,
        case
            when ranked.reviewed_decision is not null then null
            when ranked.rule is not null then ranked.rule
            when
                not ranked.has_same_first_name
                and ranked.has_namesake
                and policy.other_namesake
                then 'other_namesake'
            when
                not ranked.is_next_refused
                and ranked.next_weight > ranked.match_weight - policy.near_tie_margin
                and policy.near_tie
                then 'near_tie'
        end as rule_in_force
    from ranked
    cross join policy

),

client_decisions as (

    select
        ruled.client_identity_id,
        ruled.student_identity_id,
        ruled.student_key,
        ruled.person_id,
        ruled.match_weight,
        ruled.match_probability,
        ruled.person_rank,
        ruled.runner_up_person_id,
        ruled.runner_up_weight,
        ruled.rule_in_force as rule,
        case
            when ruled.person_rank > 1 then 'none'
            when ruled.reviewed_decision = 'no_link' then 'none'
            when ruled.reviewed_decision = 'link' then 'link'
            when ruled.match_weight < policy.review_weight then 'none'
            when ruled.rule_in_force is not null then 'review'
            when ruled.match_weight < policy.link_weight then 'review'
            else 'link'
        end as decision,
        case when ruled.reviewed_decision is null then 'model' else 'reviewer' end
            as decided_by
    from ruled
    cross join policy

)

select * from client_decisions
