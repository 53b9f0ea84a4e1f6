{#
    The blocking keys: type (seed `blocking_keys`) and arguments of the hash. Its second
    argument, a number for the type plus the day or year, is faster than text.
#}
{%- set both_names = "case when first_name is not null then least(first_name, surname) "
    ~ "|| '|' || greatest(first_name, surname) end" -%}
{%- set keys = [
    ('ssn', "ssn, 1000000"),
    ('state_id', "state_student_id, 2000000"),
    ('surname_sound_birth_date', "sound, 3000000 + birth_day"),
    ('first_name_birth_date', "first_name, 4000000 + birth_day"),
    ('first_name_birth_date', "second_name, 4000000 + birth_day"),
    ('first_name_birth_date', "first_name, 4000000 + swapped_day"),
    ('first_name_birth_date', "second_name, 4000000 + swapped_day"),
    ('names_birth_year', both_names ~ ", 5000000 + birth_year"),
    ('letters_month_day', "letters || to_char(birth_date, 'MMDD'), 6000000"),
    ('letters_birth_year_zip', "letters || zip, 7000000 + birth_year"),
    ('first_name_street', "first_name || '|' || street, 8000000"),
    ('birth_date_zip', "zip, 9000000 + birth_day"),
    ('letters_sound_zip', "left(first_name, 3) || sound || '|' || zip, 10000000"),
    ('address', "street || '|' || zip, 11000000"),
    ('names_initial', "case when birth_date is null or record_type = 'student' "
        ~ "then first_name || '|' || surname || '|' || left(middle_name, 1) end, 12000000"),
] %}

with

records as not materialized (

    select * from {{ ref('int_identity_records') }}

),

identities as not materialized (

    select
        *,
        birth_date - date '1900-01-01' as birth_day,
        cast(date_part('year', birth_date) as integer) as birth_year,
        -- Day and month swapped. One side is enough to find swapped dates.
        case
            when
                record_type = 'student'
                and date_part('day', birth_date) <= 12
                and date_part('day', birth_date) <> date_part('month', birth_date)
                then
                    to_date(to_char(birth_date, 'YYYYDDMM'), 'YYYYMMDD')
                    - date '1900-01-01'
        end as swapped_day,
        -- Some people go by their middle name.
        case when length(middle_name) > 1 then middle_name end as second_name,
        -- Sorted, so that first and last name may be swapped.
        case
            when first_name is not null and last_name is not null
                then
                    least(left(first_name, 3), left(last_name, 3)) || '|'
                    || greatest(left(first_name, 3), left(last_name, 3)) || '|'
        end as letters
    from {{ ref('int_identities') }}

),

-- A compound surname has the keys of the whole name and of each part.
surnames as not materialized (

    select
        *,
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

-- The dictionary also has identities of earlier builds, which no record has any longer.
keys as not materialized (

    select
        identity_id,
        student_key,
        unnest(array[
            {% for key_type, hashed in keys %}
            '{{ key_type }}'{{ ',' if not loop.last }}
            {% endfor %}
        ]) as key_type,
        unnest(array[
            {% for key_type, hashed in keys %}
            hashtextextended({{ hashed }}){{ ',' if not loop.last }}
            {% endfor %}
        ]) as key_hash
    from surnames
    where identity_id in (select records.identity_id from records)

),

student_keys as (

    select distinct key_hash
    from keys
    where student_key is not null

),

-- Only keys of students make pairs.
blocks as (

    select distinct keys.*
    from keys
    inner join student_keys using (key_hash)

)

select * from blocks
