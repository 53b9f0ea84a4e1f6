with

student_decisions as (

    select * from {{ ref('int_identity_student_decisions') }}

),

client_links as (

    select * from {{ ref('int_identity_client_links') }}
    where decision = 'review'

),

evidence as (

    select * from {{ ref('int_identity_evidence') }}

),

match_rules as (

    select * from {{ ref('match_rules') }}

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

records as (

    select * from {{ ref('int_identity_records') }}

),

queued_pairs as (

    select
        student_decisions.student_identity_id,
        student_decisions.other_identity_id,
        student_decisions.student_key,
        'student' as other_record_type,
        others.district_id as other_partner_id,
        others.district_student_id as other_record_id,
        1 as other_record_count,
        student_decisions.match_weight,
        student_decisions.match_probability,
        student_decisions.rule,
        null as runner_up_person_id,
        cast(null as double precision) as runner_up_weight
    from student_decisions
    inner join persons as others
        on student_decisions.other_student_key = others.student_key
    where
        student_decisions.decision = 'review'
        or (
            student_decisions.decision = 'link'
            and student_decisions.decided_by <> 'reviewer'
            and others.is_contradicted
        )

    union all

    -- One row per client, named by the first of its records that were compared.
    select
        client_links.student_identity_id,
        client_links.client_person_id as other_identity_id,
        client_links.student_key,
        'client' as other_record_type,
        (
            array_agg(records.partner_id order by records.record_id) filter (
                where client_links.decided_by <> 'id'
            )
        )[1] as other_partner_id,
        min(records.record_id) filter (
            where client_links.decided_by <> 'id'
        ) as other_record_id,
        count(*) as other_record_count,
        client_links.match_weight,
        client_links.match_probability,
        client_links.rule,
        client_links.runner_up_person_id,
        client_links.runner_up_weight
    from client_links
    inner join records on client_links.client_identity_id = records.identity_id
    group by
        client_links.student_identity_id,
        client_links.client_person_id,
        client_links.student_key,
        client_links.match_weight,
        client_links.match_probability,
        client_links.rule,
        client_links.runner_up_person_id,
        client_links.runner_up_weight

),

evidence_in_words as (

    select
        evidence.student_identity_id,
        evidence.other_identity_id,
        string_agg(
            evidence.description
            || to_char(cast(evidence.weight as numeric(20, 6)), ' (FMSG990.0)'),
            ', '
            order by abs(evidence.weight) desc, evidence.comparison
        ) as evidence
    from evidence
    inner join queued_pairs using (student_identity_id, other_identity_id)
    group by evidence.student_identity_id, evidence.other_identity_id

),

match_review_queue as (

    select
        persons.person_id,
        persons.district_id,
        persons.district_student_id,
        queued_pairs.other_record_type,
        queued_pairs.other_partner_id,
        queued_pairs.other_record_id,
        queued_pairs.other_record_count,
        queued_pairs.match_weight,
        queued_pairs.match_probability,
        queued_pairs.rule,
        coalesce(match_rules.description, 'Not certain enough') as reason,
        evidence_in_words.evidence,
        queued_pairs.runner_up_person_id,
        queued_pairs.runner_up_weight
    from queued_pairs
    inner join persons using (student_key)
    inner join evidence_in_words using (student_identity_id, other_identity_id)
    left join match_rules using (rule)

)

select * from match_review_queue
