with

link_decisions as (

    select * from {{ source('linking', 'decisions') }}

),

-- A reviewer who is unsure decides nothing, and takes nothing back.
newest as (

    select distinct on (student_key, other_record_type, other_record_key) *
    from link_decisions
    where decision <> 'unsure'
    order by student_key, other_record_type, other_record_key, decision_id desc

),

-- A decision is about people, not about a day, so it applies to every as-of date.
standing_decisions as (

    select
        decision_id,
        student_key,
        other_record_type,
        other_record_key,
        decision
    from newest
    where decision in ('link', 'no_link')

)

select * from standing_decisions
