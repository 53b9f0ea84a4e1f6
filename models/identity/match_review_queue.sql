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

match_levels as (

    select * from {{ ref('match_levels') }}

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

-- A client is asked about once; of the records that were compared the first stands for
-- all.
client_questions as (

    select
        client_links.client_person_id,
        client_links.student_identity_id,
        client_links.student_key,
        client_links.match_weight,
        client_links.match_probability,
        client_links.rule,
        client_links.runner_up_person_id,
        client_links.runner_up_weight,
        min(records.record_id) filter (
            where client_links.decided_by <> 'id'
        ) as record_id,
        count(*) as record_count
    from client_links
    inner join records on client_links.client_identity_id = records.identity_id
    group by
        client_links.client_person_id,
        client_links.student_identity_id,
        client_links.student_key,
        client_links.match_weight,
        client_links.match_probability,
        client_links.rule,
        client_links.runner_up_person_id,
        client_links.runner_up_weight

),

open_questions as (

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

    select
        student_identity_id,
        client_person_id as other_identity_id,
        student_key,
        'client' as other_record_type,
        'dhs' as other_partner_id,
        record_id as other_record_id,
        record_count as other_record_count,
        match_weight,
        match_probability,
        rule,
        runner_up_person_id,
        runner_up_weight
    from client_questions

),

in_words as (

    select
        evidence.student_identity_id,
        evidence.other_identity_id,
        string_agg(
            match_levels.description
            || to_char(cast(evidence.weight as numeric(20, 6)), ' (FMSG990.0)'),
            ', '
            order by abs(evidence.weight) desc, evidence.comparison
        ) as evidence
    from evidence
    inner join open_questions
        on
            evidence.student_identity_id = open_questions.student_identity_id
            and evidence.other_identity_id = open_questions.other_identity_id
    inner join match_levels
        on
            evidence.comparison = match_levels.comparison
            and evidence.level = match_levels.level
    group by evidence.student_identity_id, evidence.other_identity_id

),

match_review_queue as (

    select
        persons.person_id,
        persons.district_id,
        persons.district_student_id,
        open_questions.other_record_type,
        open_questions.other_partner_id,
        open_questions.other_record_id,
        open_questions.other_record_count,
        open_questions.match_weight,
        open_questions.match_probability,
        open_questions.rule,
        coalesce(match_rules.description, 'Not certain enough') as reason,
        in_words.evidence,
        open_questions.runner_up_person_id,
        open_questions.runner_up_weight
    from open_questions
    inner join persons on open_questions.student_key = persons.student_key
    inner join in_words
        on
            open_questions.student_identity_id = in_words.student_identity_id
            and open_questions.other_identity_id = in_words.other_identity_id
    left join match_rules on open_questions.rule = match_rules.rule

)

select * from match_review_queue
