with

student_pairs as (

    select * from {{ ref('int_identity_student_pairs') }}

),

memberships as (

    select * from {{ ref('int_identity_memberships') }}

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- Both directions of every pair that could link. A reviewer's link outweighs any other.
candidates as (

    select
        student_pairs.student_key,
        student_pairs.other_student_key,
        sides.shared_key,
        sides.candidate_key,
        case
            when student_pairs.reviewed_decision = 'link'
                then cast('infinity' as double precision)
            else student_pairs.match_weight
        end as match_weight
    from student_pairs
    cross join policy
    cross join
        lateral (
            values
            (student_pairs.student_key, student_pairs.other_student_key),
            (student_pairs.other_student_key, student_pairs.student_key)
        ) as sides (shared_key, candidate_key)
    where
        student_pairs.reviewed_decision = 'link'
        or (
            student_pairs.reviewed_decision is null
            and student_pairs.rule is null
            and student_pairs.match_weight >= policy.student_link_weight
        )

),

-- Two students whom a district lists on the same day cannot both be a third student:
-- the weaker link is held, or both if their weights are nearly equal.
near_ties as (

    select distinct
        candidates.student_key,
        candidates.other_student_key,
        'near_tie' as rule
    from candidates
    inner join candidates as others
        on
            candidates.shared_key = others.shared_key
            and candidates.candidate_key <> others.candidate_key
    inner join memberships on candidates.candidate_key = memberships.student_key
    inner join memberships as other_memberships
        on
            others.candidate_key = other_memberships.student_key
            and memberships.district_id = other_memberships.district_id
            and memberships.listed_days && other_memberships.listed_days
    cross join policy
    where
        candidates.match_weight < others.match_weight + policy.near_tie_margin
        and policy.near_tie

),

rules as (

    select
        student_pairs.*,
        case
            when student_pairs.reviewed_decision is null
                then coalesce(student_pairs.rule, near_ties.rule)
        end as held_by
    from student_pairs
    left join near_ties using (student_key, other_student_key)

),

student_decisions as (

    select
        rules.student_key,
        rules.other_student_key,
        rules.student_identity_id,
        rules.other_identity_id,
        rules.match_weight,
        rules.match_probability,
        rules.held_by as rule,
        case
            when rules.reviewed_decision = 'link' then 'link'
            when rules.reviewed_decision = 'no_link' then 'none'
            when rules.held_by = 'side_by_side' then 'none'
            when rules.match_weight < policy.review_weight then 'none'
            when rules.held_by is not null then 'review'
            when rules.match_weight < policy.student_link_weight then 'review'
            else 'link'
        end as decision,
        case
            when rules.reviewed_decision is not null then 'reviewer'
            when rules.has_same_state_id then 'id'
            else 'model'
        end as decided_by
    from rules
    cross join policy

)

select * from student_decisions
