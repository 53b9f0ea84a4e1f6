with

keys as (

    select * from {{ ref('int_identity_keys') }}

),

blocks as (

    select * from {{ ref('int_identity_blocks') }}

),

open_keys as (

    select keys.*
    from keys
    inner join blocks
        on
            keys.key_type = blocks.key_type
            and keys.key_hash = blocks.key_hash
    where not blocks.is_dropped

),

pairs as (

    select
        students.identity_id as student_identity_id,
        others.identity_id as other_identity_id,
        students.student_key,
        others.student_key as other_student_key,
        case
            when others.student_key is null then 'student_client' else 'student_student'
        end
            as pair_type,
        array_agg(distinct students.key_type order by students.key_type) as key_types
    from open_keys as students
    inner join open_keys as others
        on
            students.key_type = others.key_type
            and students.key_hash = others.key_hash
            and (
                others.student_key is null
                or students.student_key < others.student_key
            )
    where students.student_key is not null
    group by
        students.identity_id,
        others.identity_id,
        students.student_key,
        others.student_key

)

select * from pairs
