-- depends_on: {{ ref('int_identity_gone') }}, {{ ref('int_identity_new_tuples') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        indexes=[{'columns': ['identity_id']}],
        pre_hook=[expect_lookups(), delete_gone_and_new()]
    )
}}

with

-- Read twice: a copy of it would be made by one process alone.
identities as {{ 'not' if not is_incremental() }} materialized (

    select
        *,
        to_char(birth_date, 'YYYYMMDD') as birth_day,
        -- Swapping the students' side is enough to meet a client whose date is swapped.
        case
            when
                record_type = 'student'
                and extract(day from birth_date) <= 12
                and extract(day from birth_date) <> extract(month from birth_date)
                then to_char(birth_date, 'YYYYDDMM')
        end as swapped_day,
        -- Some go by their middle name.
        case when length(middle_name) > 1 then middle_name end as second_name
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
        true as is_whole
    from identities

    union all

    select
        identities.*,
        parts.surname,
        false as is_whole
    from identities
    cross join lateral unnest(identities.last_name_tokens) as parts (surname)
    where cardinality(identities.last_name_tokens) > 1 and length(parts.surname) > 2

),

-- Hashes keep the table narrow; another seed for each kind of key keeps them apart.
key_hashes as (

    select
        identity_id,
        student_key,
        surname,
        is_whole,
        case when is_whole then hashtextextended(ssn, 1) end as ssn,
        case when is_whole then hashtextextended(state_student_id, 2) end as state_id,
        hashtextextended(
            nullif(dmetaphone(surname), '') || '|' || birth_day, 3
        ) as surname_sound_birth_date,
        case when is_whole then hashtextextended(first_name || '|' || birth_day, 4) end
            as first_name_birth_date,
        case when is_whole then hashtextextended(second_name || '|' || birth_day, 4) end
            as second_name_birth_date,
        case
            when is_whole then hashtextextended(first_name || '|' || swapped_day, 4)
        end
            as first_name_swapped_date,
        case
            when is_whole then hashtextextended(second_name || '|' || swapped_day, 4)
        end
            as second_name_swapped_date,
        case
            when first_name is not null
                then
                    hashtextextended(
                        least(first_name, surname) || '|'
                        || greatest(first_name, surname) || '|' || left(birth_day, 4),
                        5
                    )
        end as names_birth_year,
        case
            when is_whole
                then
                    hashtextextended(
                        left(last_name, 3) || '|' || left(first_name, 3)
                        || '|' || right(birth_day, 4),
                        6
                    )
        end as letters_month_day,
        hashtextextended(
            left(first_name, 2) || '|' || nullif(dmetaphone(surname), '')
            || '|' || left(birth_day, 4) || '|' || zip,
            7
        ) as letters_sound_birth_year_zip,
        case when is_whole then hashtextextended(first_name || '|' || street, 8) end
            as first_name_street,
        case
            when is_whole
                then
                    hashtextextended(
                        first_name || '|' || left(birth_day, 4) || '|' || zip, 12
                    )
        end as first_name_birth_year_zip,
        -- Whoever wrote both names badly, or swapped them, still knew date and place.
        case when is_whole then hashtextextended(birth_day || '|' || zip, 9) end
            as birth_date_zip,
        hashtextextended(
            left(first_name, 1) || '|' || nullif(dmetaphone(surname), '') || '|' || zip,
            10
        ) as letter_sound_zip,
        case
            when is_whole then hashtextextended(street || '|' || zip, 11)
        end as address
    from surnames

)

select * from key_hashes
