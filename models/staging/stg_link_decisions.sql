with

link_decisions as (

    select * from {{ source('landing', 'link_decisions') }}

),

newest as (

    select distinct on (student_key, other_record_type, other_record_key) *
    from link_decisions
    order by student_key, other_record_type, other_record_key, decision_id desc

),

-- A decision is knowledge about people, not about a day: it holds for every as-of date.
standing as (

    select
        decision_id,
        student_key,
        other_record_type,
        other_record_key,
        decision
    from newest
    where decision <> 'withdrawn'

)

select * from standing
