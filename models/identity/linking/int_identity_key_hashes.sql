-- depends_on: {{ ref('int_identity_gone') }}, {{ ref('int_identity_new_tuples') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        indexes=[{'columns': ['identity_id']}],
        pre_hook=[plan_for_pass(), delete_gone_and_new()]
    )
}}

with

-- Read twice: a copy of it would be made by one process alone.
identities as {{ 'not' if not is_incremental() }} materialized (

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
                    least(left(first_name, 3), left(last_name, 3))
                    || '|' || greatest(left(first_name, 3), left(last_name, 3))
        end as letters
    from {{ ref('int_identities') }} as identities
    {% if is_incremental() %}
    where
        identities.identity_id in (
            select new_tuples.identity_id
            from {{ ref('int_identity_new_tuples') }} as new_tuples
        )
    {% endif %}

),

-- A compound surname is known by the whole and by each of its parts.
surnames as (

    select
        identities.*,
        last_name as surname,
        last_name_sound as sound,
        true as is_whole
    from identities

    union all

    select
        identities.*,
        parts.surname,
        nullif(dmetaphone(parts.surname), '') as sound,
        false as is_whole
    from identities
    cross join lateral unnest(identities.last_name_tokens) as parts (surname)
    where cardinality(identities.last_name_tokens) > 1 and length(parts.surname) > 2

),

-- Hashes keep the table narrow. Their seed tells kinds of keys apart, and carries the
-- day or year: writing it into the hashed text would take longer than hashing.
key_hashes as (

    select
        identity_id,
        student_key,
        surname,
        is_whole,
        case when is_whole then hashtextextended(ssn, 1000000) end as ssn,
        case when is_whole then hashtextextended(state_student_id, 2000000) end
            as state_id,
        hashtextextended(sound, 3000000 + birth_day) as surname_sound_birth_date,
        case when is_whole then hashtextextended(first_name, 4000000 + birth_day) end
            as first_name_birth_date,
        case when is_whole then hashtextextended(second_name, 4000000 + birth_day) end
            as second_name_birth_date,
        case when is_whole then hashtextextended(first_name, 4000000 + swapped_day) end
            as first_name_swapped_date,
        case when is_whole then hashtextextended(second_name, 4000000 + swapped_day) end
            as second_name_swapped_date,
        case
            when first_name is not null
                then
                    hashtextextended(
                        least(first_name, surname) || '|'
                        || greatest(first_name, surname),
                        5000000 + birth_year
                    )
        end as names_birth_year,
        case
            when is_whole
                then
                    hashtextextended(
                        letters || '|' || to_char(birth_date, 'MMDD'), 6000000
                    )
        end as letters_month_day,
        case
            when is_whole
                then hashtextextended(letters || '|' || zip, 7000000 + birth_year)
        end as letters_birth_year_zip,
        case
            when is_whole then hashtextextended(first_name || '|' || street, 8000000)
        end
            as first_name_street,
        -- Whoever wrote both names badly, or swapped them, still knew date and place.
        case when is_whole then hashtextextended(zip, 9000000 + birth_day) end
            as birth_date_zip,
        hashtextextended(left(first_name, 3) || '|' || sound || '|' || zip, 10000000)
            as letters_sound_zip,
        case when is_whole then hashtextextended(street || '|' || zip, 11000000) end
            as address
    from surnames

)

select * from key_hashes
