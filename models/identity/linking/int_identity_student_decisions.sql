with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_student'

),

memberships as (

    select * from {{ ref('int_identity_memberships') }}

),

reviews as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'student'

),

thresholds as (

    select
        max(value) filter (where setting = 'link_weight') as link_weight,
        max(value) filter (where setting = 'review_weight') as review_weight,
        max(value) filter (where setting = 'near_tie_margin') as near_tie_margin
    from {{ ref('match_thresholds') }}

),

rules as (

    select
        bool_or(rule = 'different_first_name') as different_first_name,
        bool_or(rule = 'different_suffix') as different_suffix,
        bool_or(rule = 'different_birth_date') as different_birth_date,
        bool_or(rule = 'contradicted_first_name') as contradicted_first_name,
        bool_or(rule = 'unknown_name_or_birth_date') as unknown_name_or_birth_date,
        bool_or(rule = 'near_tie') as near_tie
    from {{ ref('match_rules') }}

),

-- Names change: the versions that agree best speak for the two students.
best as (

    select distinct on (student_key, other_student_key) *
    from scores
    order by
        student_key,
        other_student_key,
        match_weight desc,
        student_identity_id,
        other_identity_id

),

-- A district that lists two students on one day says that they are two. While that rule
-- is not in force there are no memberships.
side_by_side as (

    select distinct
        best.student_key,
        best.other_student_key
    from best
    inner join memberships on best.student_key = memberships.student_key
    inner join memberships as others
        on
            best.other_student_key = others.student_key
            and memberships.district_id = others.district_id
            and memberships.first_date <= others.last_date
            and memberships.last_date >= others.first_date

),

ruled as (

    select
        best.*,
        case
            when side_by_side.student_key is not null then 'side_by_side'
            else {{ match_rule('best', 'rules') }}
        end as rule
    from best
    cross join rules
    left join side_by_side
        on
            best.student_key = side_by_side.student_key
            and best.other_student_key = side_by_side.other_student_key

),

candidates as (

    select
        ruled.student_key,
        ruled.other_student_key,
        ruled.match_weight
    from ruled
    cross join thresholds
    left join reviews
        on
            ruled.student_key = reviews.student_key
            and ruled.other_student_key = reviews.other_record_key
    where
        ruled.rule is null
        and ruled.match_weight >= thresholds.link_weight
        and reviews.decision_id is null

    union all

    -- What a reviewer linked is stronger than any weight.
    select
        student_key,
        other_record_key as other_student_key,
        cast('infinity' as double precision) as match_weight
    from reviews
    where decision = 'link'

),

ends as (

    select
        student_key as shared_key,
        other_student_key as far_key,
        student_key,
        other_student_key,
        match_weight
    from candidates

    union all

    select
        other_student_key as shared_key,
        student_key as far_key,
        student_key,
        other_student_key,
        match_weight
    from candidates

),

-- Two students side by side cannot both be a third: the weaker link steps back, and
-- both do when they are about as strong.
rivals as (

    select distinct
        ends.student_key,
        ends.other_student_key
    from ends
    inner join ends as rival_ends
        on
            ends.shared_key = rival_ends.shared_key
            and ends.far_key <> rival_ends.far_key
    inner join memberships on ends.far_key = memberships.student_key
    inner join memberships as rival_memberships
        on
            rival_ends.far_key = rival_memberships.student_key
            and memberships.district_id = rival_memberships.district_id
            and memberships.first_date <= rival_memberships.last_date
            and memberships.last_date >= rival_memberships.first_date
    cross join thresholds
    cross join rules
    where
        ends.match_weight < rival_ends.match_weight + thresholds.near_tie_margin
        and rules.near_tie

),

decided as (

    select
        ruled.student_key,
        ruled.other_student_key,
        ruled.student_identity_id,
        ruled.other_identity_id,
        ruled.match_weight,
        ruled.match_probability,
        coalesce(
            ruled.rule, case when rivals.student_key is not null then 'near_tie' end
        ) as rule,
        ruled.state_id = 'same' as has_same_state_id,
        thresholds.link_weight,
        thresholds.review_weight
    from ruled
    left join rivals
        on
            ruled.student_key = rivals.student_key
            and ruled.other_student_key = rivals.other_student_key
    cross join thresholds

),

modelled as (

    select
        student_key,
        other_student_key,
        student_identity_id,
        other_identity_id,
        match_weight,
        match_probability,
        rule,
        case
            when rule = 'side_by_side' or match_weight < review_weight then 'none'
            when rule is not null or match_weight < link_weight then 'review'
            else 'link'
        end as decision,
        case when has_same_state_id then 'id' else 'model' end as decided_by
    from decided

),

-- A reviewer's word counts for pairs, too, that nothing would compare any more.
student_decisions as (

    select
        coalesce(modelled.student_key, reviews.student_key) as student_key,
        coalesce(modelled.other_student_key, reviews.other_record_key)
            as other_student_key,
        modelled.student_identity_id,
        modelled.other_identity_id,
        modelled.match_weight,
        modelled.match_probability,
        case when reviews.decision_id is null then modelled.rule end as rule,
        case reviews.decision
            when 'link' then 'link'
            when 'no_link' then 'none'
            else modelled.decision
        end as decision,
        case
            when reviews.decision_id is not null then 'reviewer'
            else modelled.decided_by
        end as decided_by
    from modelled
    full outer join reviews
        on
            modelled.student_key = reviews.student_key
            and modelled.other_student_key = reviews.other_record_key

)

select * from student_decisions
