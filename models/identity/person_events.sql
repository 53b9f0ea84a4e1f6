with

assignments as (

    select * from {{ ref('int_identity_assignments') }}

),

spans as (

    select
        *,
        lag(person_id) over by_student as from_person_id,
        coalesce(lead(assigned_at) over by_student, 'infinity') as replaced_at
    from assignments
    window by_student as (partition by student_key order by assigned_at)

),

moves as (

    select
        assigned_at as occurred_at,
        from_person_id,
        person_id as to_person_id,
        array_agg(student_key order by student_key) as student_keys,
        -- A reviewer's word about one of the students is what moved the others.
        (
            array_agg(
                reason
                order by
                    array_position(
                        array['reviewer', 'contradiction', 'id', 'model'], reason
                    )
            )
        )[1] as reason
    from spans
    where from_person_id is not null
    group by assigned_at, from_person_id, person_id

),

compared as (

    select
        moves.*,
        coalesce(
            bool_or(
                spans.person_id = moves.from_person_id
                and spans.assigned_at <= moves.occurred_at
                and spans.replaced_at > moves.occurred_at
            ),
            false
        ) as does_old_one_live_on,
        coalesce(
            bool_or(
                spans.person_id = moves.to_person_id
                and spans.assigned_at < moves.occurred_at
                and spans.replaced_at >= moves.occurred_at
            ),
            false
        ) as was_new_one_known
    from moves
    left join spans on spans.person_id in (moves.from_person_id, moves.to_person_id)
    group by
        moves.occurred_at,
        moves.from_person_id,
        moves.to_person_id,
        moves.student_keys,
        moves.reason

),

person_events as (

    select
        occurred_at,
        case
            when was_new_one_known and does_old_one_live_on then 'move'
            when was_new_one_known then 'merge'
            when does_old_one_live_on then 'split'
            else 'rename'
        end as kind,
        from_person_id,
        to_person_id,
        student_keys,
        reason
    from compared

)

select * from person_events
