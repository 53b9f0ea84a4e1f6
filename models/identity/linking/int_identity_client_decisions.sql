with

candidates as (

    select
        *,
        coalesce(reviewed_decision = 'no_link', false) as is_refused
    from {{ ref('int_identity_client_candidates') }}

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- One person at most: the newest reviewed link wins, and who was refused comes last and
-- is no runner-up.
ranked as (

    select
        *,
        row_number() over by_weight as person_rank,
        lead(case when not is_refused then person_id end)
            over by_weight as runner_up_person_id,
        lead(case when not is_refused then match_weight end)
            over by_weight as runner_up_weight,
        bool_or(is_namesake) over (partition by client_person_id) as has_namesake
    from candidates
    window by_weight as (
        partition by client_person_id
        order by
            case
                when reviewed_decision = 'link' then decision_id
                when is_refused then -1
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
        case
            when ranked.reviewed_decision is not null then null
            when ranked.rule is not null then ranked.rule
            when
                not ranked.has_same_first_name
                and ranked.has_namesake
                and policy.other_namesake
                then 'other_namesake'
            when
                ranked.runner_up_weight > ranked.match_weight - policy.near_tie_margin
                and policy.near_tie
                then 'near_tie'
        end as rule_in_force
    from ranked
    cross join policy

),

-- Clients with many different numbers are not all one student.
crowded as (

    select ruled.person_id
    from ruled
    cross join policy
    where
        ruled.person_rank = 1
        and ruled.reviewed_decision is null
        and ruled.rule_in_force is null
        and ruled.match_weight >= policy.link_weight
        and policy.too_many_numbers
    group by ruled.person_id
    having count(distinct ruled.other_ssn) > max(policy.most_numbers_per_student)

),

held as (

    select
        ruled.*,
        case
            when ruled.rule_in_force is not null then ruled.rule_in_force
            when crowded.person_id is not null then 'too_many_numbers'
        end as held_by
    from ruled
    left join crowded
        on
            ruled.person_id = crowded.person_id
            and ruled.person_rank = 1
            and ruled.reviewed_decision is null
            and ruled.other_ssn is not null

),

client_decisions as (

    select
        held.client_person_id,
        held.student_identity_id,
        held.student_key,
        held.person_id,
        held.match_weight,
        held.match_probability,
        held.person_rank,
        held.runner_up_person_id,
        held.runner_up_weight,
        held.held_by as rule,
        case
            when held.person_rank > 1 or held.is_refused then 'none'
            when held.reviewed_decision = 'link' then 'link'
            when held.held_by is null and held.match_weight >= policy.link_weight
                then 'link'
            when held.held_by is null and held.match_weight >= policy.review_weight
                then 'review'
            when held.match_weight >= policy.held_weight then 'review'
            else 'none'
        end as decision,
        case when held.reviewed_decision is null then 'model' else 'reviewer' end
            as decided_by
    from held
    cross join policy

)

select * from client_decisions
