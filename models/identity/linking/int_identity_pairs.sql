with

blocks as (

    select * from {{ ref('int_identity_blocks') }}

),

blocking_keys as (

    select * from {{ ref('blocking_keys') }}

),

sizes as (

    select
        key_type,
        key_hash,
        count(student_key) as students,
        count(*) - count(student_key) as clients
    from blocks
    group by key_type, key_hash

),

-- A value of so many identities identifies nobody and makes too many pairs.
oversized as (

    select
        sizes.key_type,
        sizes.key_hash
    from sizes
    inner join blocking_keys using (key_type)
    where
        sizes.students * (sizes.clients + (sizes.students - 1) / 2.0)
        > blocking_keys.max_pairs

),

kept_blocks as (

    select blocks.*
    from blocks
    left join oversized using (key_type, key_hash)
    where oversized.key_type is null

),

shared_keys as (

    select
        students.key_type,
        students.identity_id as student_identity_id,
        others.identity_id as other_identity_id,
        students.student_key,
        others.student_key as other_student_key
    from kept_blocks as students
    inner join kept_blocks as others
        on
            students.key_type = others.key_type
            and students.key_hash = others.key_hash
            and (
                others.student_key is null
                or students.student_key < others.student_key
            )
    where students.student_key is not null

),

pairs as (

    select
        student_identity_id,
        other_identity_id,
        student_key,
        other_student_key,
        case
            when other_student_key is null then 'student_client' else 'student_student'
        end as pair_type,
        array_agg(distinct key_type order by key_type) as key_types
    from shared_keys
    group by
        student_identity_id,
        other_identity_id,
        student_key,
        other_student_key

)

select * from pairs
