{#
    The blocking keys: kind (seed `blocking_keys`), what is hashed, and in which rows. The
    number tells kinds apart and carries the day or year: writing those into the text would
    take longer than hashing.
#}
{%- set both_names = "case when first_name is not null then least(first_name, surname) "
    ~ "|| '|' || greatest(first_name, surname) end" -%}
{%- set letters_sound_zip = "left(first_name, 3) || '|' || sound || '|' || zip" -%}
{%- set keys = [
    ('ssn', 'ssn, 1000000', 'identities'),
    ('state_id', 'state_student_id, 2000000', 'identities'),
    ('surname_sound_birth_date', 'sound, 3000000 + birth_day', 'surnames'),
    ('first_name_birth_date', 'first_name, 4000000 + birth_day', 'identities'),
    ('first_name_birth_date', 'second_name, 4000000 + birth_day', 'identities'),
    ('first_name_birth_date', 'first_name, 4000000 + swapped_day', 'identities'),
    ('first_name_birth_date', 'second_name, 4000000 + swapped_day', 'identities'),
    ('names_birth_year', both_names ~ ', 5000000 + birth_year', 'surnames'),
    ('letters_month_day', "letters || to_char(birth_date, 'MMDD'), 6000000", 'identities'),
    ('letters_birth_year_zip', 'letters || zip, 7000000 + birth_year', 'identities'),
    ('first_name_street', "first_name || '|' || street, 8000000", 'identities'),
    ('birth_date_zip', 'zip, 9000000 + birth_day', 'identities'),
    ('letters_sound_zip', letters_sound_zip ~ ', 10000000', 'surnames'),
    ('address', "street || '|' || zip, 11000000", 'identities'),
] %}

with

records as (

    select * from {{ ref('int_identity_records') }}

),

-- Read once for each kind: a copy would be made by one process alone.
identities as not materialized (

    select
        *,
        birth_date - date '1900-01-01' as birth_day,
        cast(date_part('year', birth_date) as integer) as birth_year,
        -- Swapping the students' side is enough to meet a client whose date is swapped.
        case
            when
                record_type = 'student'
                and date_part('day', birth_date) <= 12
                and date_part('day', birth_date) <> date_part('month', birth_date)
                then
                    to_date(to_char(birth_date, 'YYYYDDMM'), 'YYYYMMDD')
                    - date '1900-01-01'
        end as swapped_day,
        -- Some go by their middle name.
        case when length(middle_name) > 1 then middle_name end as second_name,
        -- In an order that does not depend on which is which.
        case
            when first_name is not null and last_name is not null
                then
                    least(left(first_name, 3), left(last_name, 3)) || '|'
                    || greatest(left(first_name, 3), left(last_name, 3)) || '|'
        end as letters
    from {{ ref('int_identities') }}

),

-- A compound surname is known by the whole and by each of its parts.
surnames as not materialized (

    select
        identities.*,
        last_name as surname,
        last_name_sound as sound
    from identities

    union all

    select
        identities.*,
        parts.surname,
        nullif(dmetaphone(parts.surname), '') as sound
    from identities
    cross join lateral unnest(identities.last_name_tokens) as parts (surname)
    where cardinality(identities.last_name_tokens) > 1 and length(parts.surname) > 2

),

live as (

    select distinct identity_id from records

),

student_keys as (

    {% for key_type, hashed, source in keys %}
    select
        '{{ key_type }}' as key_type,
        hashtextextended({{ hashed }}) as key_hash
    from {{ source }}
    where
        student_key is not null
        and identity_id in (
            select records.identity_id from records
            where records.record_type = 'student'
        )
    {{ 'union' if not loop.last }}
    {% endfor %}

),

-- A key that no student has makes no pair.
shared as (

    {% for key_type, hashed, source in keys %}
    select
        '{{ key_type }}' as key_type,
        hashtextextended({{ hashed }}) as key_hash,
        identity_id,
        student_key
    from {{ source }}
    where
        hashtextextended({{ hashed }}) in (
            select student_keys.key_hash from student_keys
            where student_keys.key_type = '{{ key_type }}'
        )
    {{ 'union' if not loop.last }}
    {% endfor %}

),

blocks as (

    select shared.*
    from shared
    inner join live on shared.identity_id = live.identity_id

)

select * from blocks
