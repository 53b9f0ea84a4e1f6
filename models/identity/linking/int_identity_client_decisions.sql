with

candidates as (

    select * from {{ ref('int_identity_client_candidates') }}

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- Best candidate first: a reviewer's newest link, then by weight. Candidates whom a
-- reviewer refused come last and are no runners-up.
ranked as (

    select
        *,
        row_number() over by_weight as person_rank,
        lead(
            case when reviewed_decision is distinct from 'no_link' then person_id end
        ) over by_weight as runner_up_person_id,
        lead(
            case when reviewed_decision is distinct from 'no_link' then match_weight end
        ) over by_weight as runner_up_weight,
        bool_or(is_namesake) over (partition by client_person_id) as has_namesake
    from candidates
    window by_weight as (
        partition by client_person_id
        order by
            case reviewed_decision
                when 'link' then decision_id
                when 'no_link' then -1
                else 0
            end desc,
            match_weight desc nulls last,
            person_id
    )

),

-- The best candidate has to stand out from the others.
pair_rules as (

    select
        ranked.*,
        case
            when ranked.reviewed_decision is not null then null
            when ranked.rule is not null then ranked.rule
            when
                ranked.has_namesake and not ranked.has_same_first_name
                and policy.other_namesake
                then 'other_namesake'
            when
                ranked.runner_up_weight > ranked.match_weight - policy.near_tie_margin
                and policy.near_tie
                then 'near_tie'
        end as pair_rule
    from ranked
    cross join policy

),

-- Clients with many different SSNs cannot all be the same student.
crowded as (

    select
        pair_rules.person_id,
        'too_many_numbers' as rule
    from pair_rules
    cross join policy
    where
        pair_rules.person_rank = 1
        and pair_rules.reviewed_decision is null
        and pair_rules.pair_rule is null
        and pair_rules.match_weight >= policy.link_weight
        and policy.too_many_numbers
    group by pair_rules.person_id
    having count(distinct pair_rules.other_ssn) > max(policy.most_numbers_per_student)

),

pairs as (

    select
        pair_rules.*,
        coalesce(pair_rules.pair_rule, crowded.rule) as held_by
    from pair_rules
    left join crowded
        on
            pair_rules.person_id = crowded.person_id
            and pair_rules.person_rank = 1
            and pair_rules.reviewed_decision is null
            and pair_rules.other_ssn is not null

),

client_decisions as (

    select
        pairs.client_person_id,
        pairs.student_identity_id,
        pairs.student_key,
        pairs.person_id,
        pairs.match_weight,
        pairs.match_probability,
        pairs.person_rank,
        pairs.runner_up_person_id,
        pairs.runner_up_weight,
        pairs.held_by as rule,
        case
            when pairs.person_rank > 1 then 'none'
            when pairs.reviewed_decision = 'no_link' then 'none'
            when pairs.reviewed_decision = 'link' then 'link'
            when pairs.held_by is null and pairs.match_weight >= policy.link_weight
                then 'link'
            when pairs.held_by is null and pairs.match_weight >= policy.review_weight
                then 'review'
            when pairs.match_weight >= policy.held_weight then 'review'
            else 'none'
        end as decision,
        case when pairs.reviewed_decision is null then 'model' else 'reviewer' end
            as decided_by
    from pairs
    cross join policy

)

select * from client_decisions
