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

-- Every pair that could link, once for each of its students, with the other one as the
-- candidate. A reviewer's link outweighs any other.
candidates as (

    select
        student_pairs.student_key,
        student_pairs.other_student_key,
        sides.own_key,
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
        ) as sides (own_key, candidate_key)
    where
        student_pairs.reviewed_decision = 'link'
        or (
            student_pairs.reviewed_decision is null
            and student_pairs.rule is null
            and student_pairs.match_weight >= policy.student_link_weight
        )

),

-- Two candidates whom a district lists on the same day cannot both be the student: the
-- weaker link is queued for review, or both if their weights are nearly equal.
near_ties as (

    select distinct
        candidates.student_key,
        candidates.other_student_key,
        'near_tie' as rule
    from candidates
    inner join candidates as others
        on
            candidates.own_key = others.own_key
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

pairs as (

    select
        student_pairs.*,
        case
            when student_pairs.reviewed_decision is null
                then coalesce(student_pairs.rule, near_ties.rule)
        end as queued_by
    from student_pairs
    left join near_ties using (student_key, other_student_key)

),

student_decisions as (

    select
        pairs.student_key,
        pairs.other_student_key,
        pairs.student_identity_id,
        pairs.other_identity_id,
        pairs.match_weight,
        pairs.match_probability,
        pairs.queued_by as rule,
        case
            when pairs.reviewed_decision = 'link' then 'link'
            when pairs.reviewed_decision = 'no_link' then 'none'
            when pairs.queued_by = 'side_by_side' then 'none'
            when pairs.match_weight < policy.student_review_weight then 'none'
            when pairs.queued_by is not null then 'review'
            when pairs.match_weight < policy.student_link_weight then 'review'
            else 'link'
        end as decision,
        case
            when pairs.reviewed_decision is not null then 'reviewer'
            when pairs.has_same_state_id then 'id'
            else 'model'
        end as decided_by
    from pairs
    cross join policy

)

select * from student_decisions
