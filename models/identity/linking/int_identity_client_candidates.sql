with

client_evidence as (

    select * from {{ ref('int_identity_client_evidence') }}

),

pair_rules as (

    select * from {{ ref('int_identity_pair_rules') }}

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

-- The MCI ids of all records of a client.
mci_ids as (

    select
        client_persons.client_person_id,
        string_agg(
            distinct {{ function('valid_mci') }}(records.mci_id), ' '
        ) as mci_ids
    from client_persons
    inner join records on client_persons.client_identity_id = records.identity_id
    group by client_persons.client_person_id

),

-- A person with several students is compared by the one with the highest weight.
best_evidence as (

    select distinct on (client_evidence.client_person_id, persons.person_id)
        client_evidence.*,
        persons.person_id,
        pair_rules.rule
    from client_evidence
    inner join persons on client_evidence.student_key = persons.student_key
    left join pair_rules
        on
            client_evidence.student_identity_id = pair_rules.student_identity_id
            and client_evidence.client_person_id = pair_rules.other_identity_id
    order by
        client_evidence.client_person_id,
        persons.person_id,
        client_evidence.match_weight desc,
        client_evidence.student_key

),

reviews_of_clients as (

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

-- A decision about one record holds for all records of the client. The newest wins.
reviewed as (

    select distinct on (client_person_id, person_id) *
    from reviews_of_clients
    order by client_person_id, person_id, decision_id desc

),

-- Includes reviewed pairs that are no longer compared.
client_candidates as (

    select
        coalesce(best_evidence.client_person_id, reviewed.client_person_id)
            as client_person_id,
        coalesce(best_evidence.person_id, reviewed.person_id) as person_id,
        best_evidence.student_identity_id,
        coalesce(best_evidence.student_key, reviewed.student_key) as student_key,
        best_evidence.match_weight,
        -- What the pair rests on decides how many of its kind are true.
        case
            when best_evidence.ssn = 'exact' then 'identifier'
            when best_evidence.address in ('exact', 'street', 'similar') then 'address'
            else 'names'
        end as evidence,
        best_evidence.rule,
        best_evidence.other_ssn,
        mci_ids.mci_ids,
        best_evidence.first_name = 'exact' as has_same_first_name,
        -- Twins' names may differ by a letter. With a namesake among the candidates, a
        -- person with a similar first name does not link.
        coalesce(
            best_evidence.first_name = 'exact'
            and best_evidence.last_name not in ('different', 'crossed')
            and best_evidence.match_weight >= policy.namesake_weight
            and reviewed.decision is distinct from 'no_link',
            false
        ) as is_namesake,
        reviewed.decision as reviewed_decision,
        reviewed.decision_id
    from best_evidence
    full outer join reviewed
        on
            best_evidence.client_person_id = reviewed.client_person_id
            and best_evidence.person_id = reviewed.person_id
    left join mci_ids
        on
            coalesce(best_evidence.client_person_id, reviewed.client_person_id)
            = mci_ids.client_person_id
    cross join policy

)

select * from client_candidates
