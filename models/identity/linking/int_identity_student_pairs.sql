with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_student'

),

pair_rules as (

    select * from {{ ref('int_identity_pair_rules') }}

),

memberships as (

    select * from {{ ref('int_identity_memberships') }}

),

reviews as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'student'

),

-- A student has a version per spelling. The pair with the highest weight counts.
best_scores as (

    select distinct on (scores.student_key, scores.other_student_key)
        scores.*,
        pair_rules.rule
    from scores
    left join pair_rules using (student_identity_id, other_identity_id)
    order by
        scores.student_key,
        scores.other_student_key,
        scores.match_weight desc,
        scores.student_identity_id,
        scores.other_identity_id

),

-- Includes reviewed pairs that are no longer compared.
student_pairs as (

    select
        coalesce(best_scores.student_key, reviews.student_key) as student_key,
        coalesce(best_scores.other_student_key, reviews.other_record_key)
            as other_student_key,
        best_scores.student_identity_id,
        best_scores.other_identity_id,
        best_scores.match_weight,
        best_scores.match_probability,
        -- Two students whom a district lists on the same day are not one person.
        -- `int_identity_memberships` is empty while this rule is not in force.
        case
            when memberships.listed_days && others.listed_days then 'side_by_side'
            else best_scores.rule
        end as rule,
        coalesce(best_scores.state_id = 'same', false) as has_same_state_id,
        reviews.decision as reviewed_decision
    from best_scores
    left join memberships using (student_key)
    left join memberships as others
        on
            best_scores.other_student_key = others.student_key
            and memberships.district_id = others.district_id
    full outer join reviews
        on
            best_scores.student_key = reviews.student_key
            and best_scores.other_student_key = reviews.other_record_key

)

select * from student_pairs
