with

key_hashes as (

    select * from {{ ref('int_identity_key_hashes') }}
    where student_key is not null

),

student_keys as (

    select distinct
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
            ('first_name_street', key_hashes.first_name_street),
            ('first_name_birth_year_zip', key_hashes.first_name_birth_year_zip),
            ('birth_date_zip', key_hashes.birth_date_zip),
            ('letter_sound_zip', key_hashes.letter_sound_zip),
            ('address', key_hashes.address)
        ) as kinds (key_type, key_hash)
    where kinds.key_hash is not null

)

select * from student_keys
