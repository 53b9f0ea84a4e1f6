with

persons as (

    select * from {{ ref('int_identity_persons') }}

),

pseudonym_key as (

    select * from {{ ref('stg_pseudonym_key') }}

),

keys as (

    select student_key as key from persons
    union
    select person_id as key from persons

),

-- HMAC-SHA-256 (RFC 2104): without the key, nobody can find pseudonyms by trying ids.
-- The key is padded to a block of 64 bytes, which is combined with two paddings.
blocks as (

    select
        rpad(
            encode(case when length(key) > 64 then sha256(key) else key end, 'hex'),
            128,
            '0'
        ) as block
    from pseudonym_key

),

bytes as (

    select
        places.place,
        get_byte(decode(blocks.block, 'hex'), places.place) as byte
    from blocks
    cross join generate_series(0, 63) as places (place)

),

-- Exclusive or of two bytes: the bits of either minus the bits of both.
padded_keys as (

    select
        string_agg(
            set_byte('\x00', 0, (byte | 54) - (byte & 54)), '' order by place
        ) as inner_key,
        string_agg(
            set_byte('\x00', 0, (byte | 92) - (byte & 92)), '' order by place
        ) as outer_key
    from bytes

),

-- Record keys come from another hash, because analysts see pseudonyms.
hmacs as (

    select
        keys.key,
        encode(
            sha256(
                padded_keys.outer_key
                || sha256(padded_keys.inner_key || convert_to(keys.key, 'UTF8'))
            ),
            'hex'
        ) as pseudonym,
        sha256(
            padded_keys.outer_key
            || sha256(
                padded_keys.inner_key
                || convert_to('record key of ' || keys.key, 'UTF8')
            )
        ) as record_hash
    from keys
    cross join padded_keys

),

pseudonyms as (

    select
        key,
        pseudonym,
        get_byte(record_hash, 0) * 16777216::bigint
        + get_byte(record_hash, 1) * 65536
        + get_byte(record_hash, 2) * 256
        + get_byte(record_hash, 3) as record_key
    from hmacs

)

select * from pseudonyms
