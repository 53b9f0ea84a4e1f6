-- depends_on: {{ ref('int_identity_recrossed') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=[
            plan_for_pass(),
            delete_before_append(
                "this.record_type = 'student'
                or this.record_id in (
                    select record_id from {{ ref('int_identity_recrossed') }}
                )"
            ),
        ]
    )
}}

with

persons as (

    select * from {{ ref('int_identity_persons') }}

),

student_decisions as (

    select * from {{ ref('int_identity_student_decisions') }}

),

-- Each student's strongest link or open question with another student.
both_ends as (

    select
        student_key,
        other_student_key,
        decision,
        decided_by,
        match_weight,
        match_probability
    from student_decisions
    where decision <> 'none'

    union all

    select
        other_student_key as student_key,
        student_key as other_student_key,
        decision,
        decided_by,
        match_weight,
        match_probability
    from student_decisions
    where decision <> 'none'

),

strongest as (

    select distinct on (student_key) *
    from both_ends
    order by student_key, decision, match_weight desc, other_student_key

),

student_rows as (

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
    left join strongest on persons.student_key = strongest.student_key

),

{% if is_incremental() %}
-- Everybody else keeps the row that is there.
client_rows as (

    select
        'client' as record_type,
        'dhs' as partner_id,
        *
    from {{ ref('int_identity_recrossed') }}
    where person_id is not null

),

{% else %}
clients as (

    select
        *,
        source_id || ':' || source_client_id as record_id
    from {{ ref('stg_clients') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

client_links as (

    select * from {{ ref('int_identity_client_links') }}

),

linked_records as (

    select
        records.record_id,
        records.record_hash,
        client_links.person_id,
        client_links.decision,
        client_links.match_weight,
        client_links.match_probability,
        client_links.decided_by
    from client_links
    inner join records on client_links.client_identity_id = records.identity_id

),

-- Unlinked clients are persons of their own. `int_identity_recrossed` says the same.
client_rows as (

    select
        'client' as record_type,
        'dhs' as partner_id,
        clients.record_id,
        case
            when linked_records.decision = 'link' then linked_records.person_id
            else {{ function('own_person_id') }}(clients.mci_id, clients.record_id)
        end as person_id,
        coalesce(linked_records.decision, 'none') as decision,
        linked_records.match_weight,
        linked_records.match_probability,
        linked_records.decided_by
    from clients
    left join linked_records
        on
            -- Numbers are compared sooner than texts.
            clients.record_hash = linked_records.record_hash
            and clients.record_id = linked_records.record_id

),

{% endif %}
person_crosswalk as (

    select * from student_rows
    union all
    select * from client_rows

)

select * from person_crosswalk
