with

students as (

    select * from {{ ref('dim_students') }}

),

pseudonym_key as (

    select * from {{ ref('stg_pseudonym_key') }}

),

keys as (

    select student_key as key from students
    union
    select person_id as key from students

),

-- HMAC-SHA-256, so that without the key no pseudonym can be found by trying ids.
pseudonyms as (

    select
        keys.key,
        encode(
            sha256(
                pseudonym_key.outer_key
                || sha256(pseudonym_key.inner_key || convert_to(keys.key, 'UTF8'))
            ),
            'hex'
        ) as pseudonym
    from keys
    cross join pseudonym_key

)

select * from pseudonyms
