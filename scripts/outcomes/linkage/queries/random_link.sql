-- One link of a client that the model made, but none of the given pairs.
select candidates.student_key, candidates.record
from identity.int_identity_client_decisions as client_decisions
inner join identity.int_identity_candidates as candidates
    on
        client_decisions.student_key = candidates.student_key
        and client_decisions.client_person_id = candidates.other_identity_id
        and candidates.record_type = 'client'
where
    client_decisions.person_rank = 1
    and client_decisions.decision = 'link'
    and client_decisions.decided_by = 'model'
    and (candidates.student_key, candidates.record) not in (
        select * from unnest(%(students)s::text [], %(clients)s::text [])
    )
order by random()
limit 1
