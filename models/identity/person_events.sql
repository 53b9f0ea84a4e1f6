with

assignments as (

    select * from {{ ref('int_identity_assignments') }}

),

periods as (

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
        -- A reviewer's decision about one of the students moved the others, too.
        (
            array_agg(
                reason
                order by
                    array_position(
                        array['reviewer', 'contradiction', 'id', 'model'], reason
                    )
            )
        )[1] as reason
    from periods
    where from_person_id is not null
    group by assigned_at, from_person_id, person_id

),

persons_before_and_after as (

    select
        moves.*,
        coalesce(
            bool_or(
                periods.person_id = moves.from_person_id
                and periods.assigned_at <= moves.occurred_at
                and periods.replaced_at > moves.occurred_at
            ),
            false
        ) as from_person_remains,
        coalesce(
            bool_or(
                periods.person_id = moves.to_person_id
                and periods.assigned_at < moves.occurred_at
                and periods.replaced_at >= moves.occurred_at
            ),
            false
        ) as to_person_existed
    from moves
    left join periods on periods.person_id in (moves.from_person_id, moves.to_person_id)
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
            when to_person_existed and from_person_remains then 'move'
            when to_person_existed then 'merge'
            when from_person_remains then 'split'
            else 'rename'
        end as kind,
        from_person_id,
        to_person_id,
        student_keys,
        reason
    from persons_before_and_after

)

select * from person_events
