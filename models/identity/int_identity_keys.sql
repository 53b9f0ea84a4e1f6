with

identities as (

    select * from {{ ref('int_identities') }}

),

-- A compound surname is known by each of its parts and by the whole.
surnames as (

    select distinct
        identities.identity_id,
        names.surname
    from identities
    cross join
        lateral
        unnest(identities.last_name_tokens || identities.last_name) as names (surname)
    where length(names.surname) > 2 or names.surname = identities.last_name

),

named as (

    select
        identities.*,
        surnames.surname,
        dmetaphone(surnames.surname) as surname_sound
    from identities
    inner join surnames on identities.identity_id = surnames.identity_id

),

-- Some go by their middle name.
given_names as (

    select
        identity_id,
        record_type,
        student_key,
        birth_date,
        first_name as given_name
    from identities

    union

    select
        identity_id,
        record_type,
        student_key,
        birth_date,
        middle_name as given_name
    from identities
    where length(middle_name) > 1

),

given_name_birth_dates as (

    select
        *,
        birth_date as key_date
    from given_names

    union all

    -- Swapping the students' side is enough to meet a client whose date is swapped.
    select
        *,
        to_date(to_char(birth_date, 'YYYYDDMM'), 'YYYYMMDD') as key_date
    from given_names
    where
        record_type = 'student'
        and extract(day from birth_date) <= 12
        and extract(day from birth_date) <> extract(month from birth_date)

),

key_texts as (

    select
        'ssn' as key_type,
        ssn as key_text,
        identity_id,
        student_key
    from identities

    union all

    select
        'state_id' as key_type,
        state_student_id as key_text,
        identity_id,
        student_key
    from identities

    union all

    select
        'surname_sound_birth_date' as key_type,
        nullif(surname_sound, '') || '|' || to_char(birth_date, 'YYYYMMDD') as key_text,
        identity_id,
        student_key
    from named

    union all

    select
        'first_name_birth_date' as key_type,
        given_name || '|' || to_char(key_date, 'YYYYMMDD') as key_text,
        identity_id,
        student_key
    from given_name_birth_dates

    union all

    select
        'names_birth_year' as key_type,
        least(first_name, surname) || '|' || greatest(first_name, surname)
        || '|' || to_char(birth_date, 'YYYY') as key_text,
        identity_id,
        student_key
    from named
    where first_name is not null

    union all

    select
        'letters_month_day' as key_type,
        left(last_name, 3) || '|' || left(first_name, 3)
        || '|' || to_char(birth_date, 'MMDD') as key_text,
        identity_id,
        student_key
    from identities

    union all

    select
        'letters_sound_birth_year_zip' as key_type,
        left(first_name, 2) || '|' || nullif(surname_sound, '')
        || '|' || to_char(birth_date, 'YYYY') || '|' || zip as key_text,
        identity_id,
        student_key
    from named

    union all

    select
        'first_name_street' as key_type,
        first_name || '|' || street as key_text,
        identity_id,
        student_key
    from identities

    union all

    select
        'first_name_birth_year_zip' as key_type,
        first_name || '|' || to_char(birth_date, 'YYYY') || '|' || zip as key_text,
        identity_id,
        student_key
    from identities

    union all

    -- Whoever wrote both names badly, or swapped them, still knew date and place.
    select
        'birth_date_zip' as key_type,
        to_char(birth_date, 'YYYYMMDD') || '|' || zip as key_text,
        identity_id,
        student_key
    from identities

    union all

    select
        'letter_sound_zip' as key_type,
        left(first_name, 1) || '|' || nullif(surname_sound, '') || '|' || zip
            as key_text,
        identity_id,
        student_key
    from named

    union all

    select
        'address' as key_type,
        street || '|' || zip as key_text,
        identity_id,
        student_key
    from identities

),

keys as (

    select distinct
        key_type,
        hashtextextended(key_text, 0) as key_hash,
        identity_id,
        student_key
    from key_texts
    where key_text is not null

)

select * from keys
