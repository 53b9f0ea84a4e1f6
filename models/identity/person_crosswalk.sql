with

persons as (

    select * from {{ ref('int_identity_persons') }}

),

student_decisions as (

    select * from {{ ref('int_identity_student_decisions') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

client_links as (

    select * from {{ ref('int_identity_client_links') }}
    where decision in ('link', 'review')

),

-- Each student's strongest link or pair in review with another student.
both_ends as (

    select
        student_key,
        decision,
        decided_by,
        match_weight,
        match_probability,
        other_student_key
    from student_decisions
    where decision <> 'none'

    union all

    select
        other_student_key as student_key,
        decision,
        decided_by,
        match_weight,
        match_probability,
        student_key as other_student_key
    from student_decisions
    where decision <> 'none'

),

strongest as (

    select distinct on (student_key) *
    from both_ends
    order by student_key, decision, match_weight desc, other_student_key

),

person_crosswalk as (

    select
        'student' as record_type,
        persons.district_id as partner_id,
        persons.district_student_id as record_id,
        persons.person_id,
        case
            when persons.is_contradicted then 'review'
            else coalesce(strongest.decision, 'none')
        end as decision,
        strongest.match_weight,
        strongest.match_probability,
        strongest.decided_by
    from persons
    left join strongest using (student_key)

    union all

    select
        'client' as record_type,
        records.partner_id,
        records.record_id,
        case
            when client_links.decision = 'link' then client_links.person_id
            else {{ function('own_person_id') }}(records.mci_id, records.record_id)
        end as person_id,
        client_links.decision,
        client_links.match_weight,
        client_links.match_probability,
        client_links.decided_by
    from client_links
    inner join records on client_links.client_identity_id = records.identity_id

)

select * from person_crosswalk
