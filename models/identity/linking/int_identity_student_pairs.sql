with

scores as (

    select
        *,
        false as fits_initial,
        false as fits_initials,
        false as has_sole_ssn,
        false as has_close_birth_date
    from {{ ref('int_identity_scores') }}
    where pair_type = 'student_student'

),

memberships as (

    select * from {{ ref('int_identity_memberships') }}

),

reviews as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'student'

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- Names change: the versions that agree best speak for the two students.
best as (

    select distinct on (scores.student_key, scores.other_student_key)
        scores.*,
        {{ match_rule('scores', 'policy') }} as rule
    from scores
    cross join policy
    order by
        scores.student_key,
        scores.other_student_key,
        scores.match_weight desc,
        scores.student_identity_id,
        scores.other_identity_id

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

-- A reviewer's word counts for pairs, too, that nothing would compare any more.
student_pairs as (

    select
        coalesce(best.student_key, reviews.student_key) as student_key,
        coalesce(best.other_student_key, reviews.other_record_key)
            as other_student_key,
        best.student_identity_id,
        best.other_identity_id,
        best.match_weight,
        best.match_probability,
        case
            when side_by_side.student_key is not null then 'side_by_side'
            else best.rule
        end as rule,
        coalesce(best.state_id = 'same', false) as has_same_state_id,
        reviews.decision as reviewed_decision
    from best
    left join side_by_side
        on
            best.student_key = side_by_side.student_key
            and best.other_student_key = side_by_side.other_student_key
    full outer join reviews
        on
            best.student_key = reviews.student_key
            and best.other_student_key = reviews.other_record_key

)

select * from student_pairs
