with

key_hashes as (

    select * from {{ ref('int_identity_key_hashes') }}

),

keys as not materialized (

    select
        key_hashes.identity_id,
        key_hashes.student_key,
        kinds.key_type,
        kinds.key_hash
    from key_hashes
    cross join
        lateral (
            values
            ('ssn', key_hashes.ssn),
            ('state_id', key_hashes.state_id),
            ('surname_sound_birth_date', key_hashes.surname_sound_birth_date),
            ('first_name_birth_date', key_hashes.first_name_birth_date),
            ('first_name_birth_date', key_hashes.second_name_birth_date),
            ('first_name_birth_date', key_hashes.first_name_swapped_date),
            ('first_name_birth_date', key_hashes.second_name_swapped_date),
            ('names_birth_year', key_hashes.names_birth_year),
            ('letters_month_day', key_hashes.letters_month_day),
            ('letters_sound_birth_year_zip', key_hashes.letters_sound_birth_year_zip),
            ('names_address', key_hashes.names_address),
            ('birth_date_zip', key_hashes.birth_date_zip),
            ('letter_sound_zip', key_hashes.letter_sound_zip),
            ('address', key_hashes.address)
        ) as kinds (key_type, key_hash)
    where kinds.key_hash is not null

),

student_keys as (

    select distinct
        key_type,
        key_hash
    from keys
    where student_key is not null

),

-- A key that no student has makes no pair.
shared_keys as (

    select distinct
        keys.key_type,
        keys.key_hash,
        keys.identity_id,
        keys.student_key
    from keys
    inner join student_keys
        on
            keys.key_hash = student_keys.key_hash
            and keys.key_type = student_keys.key_type

)

select * from shared_keys
