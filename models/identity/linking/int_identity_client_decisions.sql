with

candidates as (

    select * from {{ ref('int_identity_client_candidates') }}

),

calibration as (

    select * from {{ ref('match_calibration') }}

),

match_rules as (

    select * from {{ ref('match_rules') }}

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

-- Marks the clients who link unless their person has clients whom they contradict.
marked_pairs as (

    select
        pair_rules.*,
        coalesce(
            pair_rules.person_rank = 1
            and pair_rules.pair_rule is null
            and (
                pair_rules.reviewed_decision = 'link'
                or (
                    pair_rules.reviewed_decision is null
                    and pair_rules.match_weight >= policy.link_weight
                )
            ),
            false
        ) as is_link
    from pair_rules
    cross join policy

),

-- The MCI ids of each person's surest client that has one.
surest as (

    select distinct on (person_id)
        person_id,
        mci_ids
    from marked_pairs
    where is_link and mci_ids is not null
    order by
        person_id,
        reviewed_decision nulls last,
        match_weight desc,
        client_person_id

),

-- Clients with many different SSNs cannot all be the same student.
crowded as (

    select marked_pairs.person_id
    from marked_pairs
    cross join policy
    where marked_pairs.is_link and marked_pairs.reviewed_decision is null
    group by marked_pairs.person_id
    having count(distinct marked_pairs.other_ssn) > max(policy.most_ssns_per_student)

),

pairs as (

    select
        marked_pairs.*,
        case
            when marked_pairs.pair_rule is not null then marked_pairs.pair_rule
            when
                marked_pairs.reviewed_decision is not null or not marked_pairs.is_link
                then null
            when
                marked_pairs.match_weight < policy.other_mci_weight
                and not string_to_array(marked_pairs.mci_ids, ' ')
                && string_to_array(surest.mci_ids, ' ')
                and policy.other_mci_id
                then 'other_mci_id'
            when
                marked_pairs.other_ssn is not null
                and crowded.person_id is not null
                and policy.too_many_ssns
                then 'too_many_ssns'
        end as queued_by
    from marked_pairs
    left join surest on marked_pairs.person_id = surest.person_id
    left join crowded on marked_pairs.person_id = crowded.person_id
    cross join policy

),

client_decisions as (

    select
        pairs.client_person_id,
        pairs.student_identity_id,
        pairs.student_key,
        pairs.person_id,
        pairs.match_weight,
        pairs.evidence,
        coalesce(
            calibration.true_share,
            {{ function('match_probability') }}(pairs.match_weight)
        ) as match_probability,
        pairs.person_rank,
        pairs.runner_up_person_id,
        pairs.runner_up_weight,
        pairs.queued_by as rule,
        case
            when pairs.person_rank > 1 then 'none'
            when pairs.reviewed_decision = 'no_link' then 'none'
            when pairs.reviewed_decision = 'link' then 'link'
            when pairs.queued_by is null and pairs.match_weight >= policy.link_weight
                then 'link'
            when
                pairs.match_weight
                >= case
                    when pairs.queued_by is null then policy.review_weight
                    else match_rules.review_weight
                end
                then 'review'
            else 'none'
        end as decision,
        case when pairs.reviewed_decision is null then 'model' else 'reviewer' end
            as decided_by
    from pairs
    left join match_rules on pairs.queued_by = match_rules.rule
    -- Shares were measured among the best candidates that link or are reviewed.
    left join calibration
        on
            pairs.person_rank = 1
            and case
                when pairs.queued_by is null
                    then
                        pairs.evidence = calibration.evidence
                        and pairs.match_weight >= calibration.weight_from
                        and coalesce(pairs.match_weight < calibration.weight_to, true)
                else
                    pairs.queued_by = calibration.rule
                    and pairs.match_weight >= match_rules.review_weight
            end
    cross join policy

)

select * from client_decisions
