with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

reviews as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'client'

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- Of all that a person was ever called, what agrees best with the client counts.
best as (

    select distinct on (scores.other_identity_id, persons.person_id)
        scores.*,
        persons.person_id,
        {{ match_rule('scores', 'policy') }} as rule
    from scores
    inner join persons on scores.student_key = persons.student_key
    cross join policy
    order by
        scores.other_identity_id,
        persons.person_id,
        scores.match_weight desc,
        scores.student_key,
        scores.student_identity_id

),

-- Identical records follow what a reviewer decided about one of them.
reviewed as (

    select distinct on (records.identity_id, persons.person_id)
        records.identity_id,
        persons.person_id,
        reviews.student_key,
        reviews.decision_id,
        reviews.decision
    from reviews
    inner join records on reviews.other_record_key = records.record_id
    inner join persons on reviews.student_key = persons.student_key
    order by records.identity_id, persons.person_id, reviews.decision_id desc

),

-- Reviewers decided pairs, too, that nothing would compare any more.
client_candidates as (

    select
        coalesce(best.other_identity_id, reviewed.identity_id) as client_identity_id,
        coalesce(best.person_id, reviewed.person_id) as person_id,
        best.student_identity_id,
        coalesce(best.student_key, reviewed.student_key) as student_key,
        best.match_weight,
        best.match_probability,
        best.rule,
        best.first_name = 'exact' as has_same_first_name,
        -- A twin's name may differ by a letter: nobody is taken for one while the
        -- other, who bears the very name, comes into question.
        coalesce(
            best.first_name = 'exact'
            and best.last_name not in ('different', 'crossed')
            and best.match_weight >= policy.namesake_weight
            and reviewed.decision is distinct from 'no_link',
            false
        ) as is_namesake,
        reviewed.decision as reviewed_decision,
        reviewed.decision_id
    from best
    full outer join reviewed
        on
            best.other_identity_id = reviewed.identity_id
            and best.person_id = reviewed.person_id
    cross join policy

)

select * from client_candidates
