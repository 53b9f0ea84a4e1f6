-- A history: it cannot be computed again, so a full refresh keeps it.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        full_refresh=false,
        unlogged=false
    )
}}

with

persons as (

    select * from {{ ref('int_identity_persons') }}

),

student_decisions as (

    select * from {{ ref('int_identity_student_decisions') }}

),

{% if is_incremental() %}
last_assignments as (

    select distinct on (student_key)
        student_key,
        person_id
    from {{ this }}
    order by student_key, assigned_at desc

),

{% endif %}

decisions_by_student as (

    select
        ends.student_key,
        bool_or(student_decisions.decided_by = 'reviewer') as has_reviewer,
        bool_or(
            student_decisions.decided_by = 'id' and student_decisions.decision = 'link'
        ) as has_id
    from student_decisions
    cross join
        lateral (
            values
            (student_decisions.student_key),
            (student_decisions.other_student_key)
        ) as ends (student_key)
    group by ends.student_key

),

assignments as (

    select
        persons.student_key,
        persons.person_id,
        case
            when decisions_by_student.has_reviewer then 'reviewer'
            when persons.is_contradicted then 'contradiction'
            when decisions_by_student.has_id then 'id'
            else 'model'
        end as reason,
        now() as assigned_at
    from persons
    left join decisions_by_student using (student_key)
    {% if is_incremental() %}
    left join last_assignments using (student_key)
    where
        persons.person_id is distinct from last_assignments.person_id
        -- A build of an earlier day is no new assignment.
        and '{{ var("as_of") }}' = ''
    {% endif %}

)

select * from assignments
