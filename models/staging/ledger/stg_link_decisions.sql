with

link_decisions as (

    select * from {{ source('linking', 'decisions') }}

),

newest as (

    select distinct on (student_key, other_record_type, other_record_key) *
    from link_decisions
    order by student_key, other_record_type, other_record_key, decision_id desc

),

-- A decision is about people, not about a day, so it applies to every as-of date. One
-- that is unsure or withdrawn decides nothing.
current_decisions as (

    select
        decision_id,
        student_key,
        other_record_type,
        other_record_key,
        decision
    from newest
    where decision in ('link', 'no_link')

)

select * from current_decisions
