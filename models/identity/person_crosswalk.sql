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
        record_id,
        person_id,
        decision,
        match_weight,
        match_probability,
        decided_by
    from {{ ref('int_identity_recrossed') }}
    where person_id is not null

),

{% else %}
clients as (

    select * from {{ ref('int_identity_clients') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

client_links as (

    select * from {{ ref('int_identity_client_links') }}

),

-- `int_identity_recrossed` says the same of those who change.
client_rows as (

    select
        'client' as record_type,
        'dhs' as partner_id,
        records.record_id,
        case
            when client_links.decision = 'link' then client_links.person_id
            else {{ function('own_person_id') }}(records.mci_id, records.record_id)
        end as person_id,
        coalesce(client_links.decision, 'none') as decision,
        client_links.match_weight,
        client_links.match_probability,
        client_links.decided_by
    from records
    left join client_links on records.identity_id = client_links.client_identity_id

    union all

    -- To look for links of these, too, would take more than half as long again.
    select
        'client' as record_type,
        'dhs' as partner_id,
        record_id,
        {{ function('own_person_id') }}(mci_id, record_id) as person_id,
        'none' as decision,
        null as match_weight,
        null as match_probability,
        null as decided_by
    from clients
    where not is_compared

),

{% endif %}
person_crosswalk as (

    select * from student_rows
    union all
    select * from client_rows

)

select * from person_crosswalk
