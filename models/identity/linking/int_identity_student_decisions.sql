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

-- Each student's candidates. What a reviewer linked is stronger than any weight.
candidates as (

    select
        student_pairs.student_key,
        student_pairs.other_student_key,
        sides.shared_key,
        sides.far_key,
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
        ) as sides (shared_key, far_key)
    where
        student_pairs.reviewed_decision = 'link'
        or (
            student_pairs.reviewed_decision is null
            and student_pairs.rule is null
            and student_pairs.match_weight >= policy.student_link_weight
        )

),

-- Two students side by side cannot both be a third: the weaker link steps back, and
-- both do when they are about as strong.
rivals as (

    select distinct
        candidates.student_key,
        candidates.other_student_key
    from candidates
    inner join candidates as others
        on
            candidates.shared_key = others.shared_key
            and candidates.far_key <> others.far_key
    inner join memberships on candidates.far_key = memberships.student_key
    inner join memberships as other_memberships
        on
            others.far_key = other_memberships.student_key
            and memberships.district_id = other_memberships.district_id
            and memberships.first_date <= other_memberships.last_date
            and memberships.last_date >= other_memberships.first_date
    cross join policy
    where
        candidates.match_weight < others.match_weight + policy.near_tie_margin
        and policy.near_tie

),

ruled as (

    select
        student_pairs.*,
        case
            when student_pairs.reviewed_decision is not null then null
            when student_pairs.rule is not null then student_pairs.rule
            when rivals.student_key is not null then 'near_tie'
        end as rule_in_force
    from student_pairs
    left join rivals
        on
            student_pairs.student_key = rivals.student_key
            and student_pairs.other_student_key = rivals.other_student_key

),

student_decisions as (

    select
        ruled.student_key,
        ruled.other_student_key,
        ruled.student_identity_id,
        ruled.other_identity_id,
        ruled.match_weight,
        ruled.match_probability,
        ruled.rule_in_force as rule,
        case
            when ruled.reviewed_decision = 'link' then 'link'
            when ruled.reviewed_decision = 'no_link' then 'none'
            when ruled.rule_in_force = 'side_by_side' then 'none'
            when ruled.match_weight < policy.review_weight then 'none'
            when ruled.rule_in_force is not null then 'review'
            when ruled.match_weight < policy.student_link_weight then 'review'
            else 'link'
        end as decision,
        case
            when ruled.reviewed_decision is not null then 'reviewer'
            when ruled.has_same_state_id then 'id'
            else 'model'
        end as decided_by
    from ruled
    cross join policy

)

select * from student_decisions
