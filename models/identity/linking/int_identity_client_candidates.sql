with

client_evidence as (

    select * from {{ ref('int_identity_client_evidence') }}

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

client_persons as (

    select * from {{ ref('int_identity_client_persons') }}

),

reviews as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'client'

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- Of a person's students the one that agrees best with the client counts.
best as (

    select distinct on (client_evidence.client_person_id, persons.person_id)
        client_evidence.*,
        persons.person_id,
        {{ match_rule('client_evidence', 'policy') }} as rule
    from client_evidence
    inner join persons on client_evidence.student_key = persons.student_key
    cross join policy
    order by
        client_evidence.client_person_id,
        persons.person_id,
        client_evidence.match_weight desc,
        client_evidence.student_key

),

decided as (

    select
        coalesce(client_persons.client_person_id, records.identity_id)
            as client_person_id,
        persons.person_id,
        reviews.student_key,
        reviews.decision_id,
        reviews.decision
    from reviews
    inner join records on reviews.other_record_key = records.record_id
    inner join persons on reviews.student_key = persons.student_key
    left join client_persons on records.identity_id = client_persons.client_identity_id

),

-- What a reviewer decided about one record of a client holds for all of them.
reviewed as (

    select distinct on (client_person_id, person_id) *
    from decided
    order by client_person_id, person_id, decision_id desc

),

-- Reviewers decided pairs, too, that nothing would compare any more.
client_candidates as (

    select
        coalesce(best.client_person_id, reviewed.client_person_id)
            as client_person_id,
        coalesce(best.person_id, reviewed.person_id) as person_id,
        best.student_identity_id,
        coalesce(best.student_key, reviewed.student_key) as student_key,
        best.match_weight,
        {{ function('match_probability') }}(best.match_weight) as match_probability,
        best.rule,
        best.other_ssn,
        best.first_name = 'exact' as has_same_first_name,
        -- A twin's name may differ by a letter: nobody is taken for one while the
        -- other, who has the very name, comes into question.
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
            best.client_person_id = reviewed.client_person_id
            and best.person_id = reviewed.person_id
    cross join policy

)

select * from client_candidates
