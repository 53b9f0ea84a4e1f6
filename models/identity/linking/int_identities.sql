-- A dictionary (docs/linking.md): a build adds new identities and changes no entry.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        indexes=[{'columns': ['identity_id'], 'unique': true}]
    )
}}

with

records as not materialized (

    select * from {{ ref('int_identity_records') }}

),

nicknames as (

    select
        nickname as first_name,
        array_agg(first_name order by first_name) as full_names
    from {{ ref('first_name_nicknames') }}
    group by nickname

),

placeholders as (

    select * from {{ ref('placeholder_first_names') }}

),

new_ids as (

    select distinct identity_id from records
    {% if is_incremental() %}
    except
    select known.identity_id from {{ this }} as known
    {% endif %}

),

-- Identical records have one identity.
new_identities as (

    select record.*
    from new_ids
    cross join
        lateral (
            select * from records
            where records.identity_id = new_ids.identity_id
            order by records.record_id
            limit 1
        ) as record

),

-- Standardizing each distinct spelling once is faster.
spellings as (

    select
        written.spelling,
        {{ function('normalized_name') }}(written.spelling) as words
    from new_identities
    cross join
        lateral unnest(
            array[last_name, first_name, middle_name, suffix]
        ) as written (spelling)
    group by written.spelling

),

-- A suffix may be written behind a name, and a middle name may be only a suffix.
standardized as (

    select
        spelling,
        replace({{ function('without_suffix') }}(words), ' ', '') as name,
        nullif(
            dmetaphone(replace({{ function('without_suffix') }}(words), ' ', '')), ''
        ) as sound,
        string_to_array({{ function('without_suffix') }}(words), ' ') as tokens,
        nullif(replace({{ function('without_suffix') }}(' ' || words), ' ', ''), '')
            as middle_name,
        {{ function('name_suffix') }}(words) as suffix_behind,
        {{ function('name_suffix') }}(' ' || words) as suffix_alone
    from spellings

),

streets as (

    select
        street,
        {{ function('normalized_street') }}(street) as normalized_street
    from new_identities
    group by street

),

identities as (

    select
        new_identities.identity_id,
        new_identities.record_type,
        new_identities.student_key,
        new_identities.state_student_id,
        last_names.name as last_name,
        last_names.sound as last_name_sound,
        last_names.tokens as last_name_tokens,
        first_names.name as first_name,
        first_names.sound as first_name_sound,
        -- Names with a common form are nicknames of each other or of a third name.
        case
            when first_names.name is not null
                then first_names.name || coalesce(nicknames.full_names, '{}')
        end as first_name_forms,
        middle_names.middle_name,
        coalesce(
            suffixes.suffix_alone,
            last_names.suffix_behind,
            first_names.suffix_behind,
            middle_names.suffix_alone
        ) as suffix,
        new_identities.birth_date,
        new_identities.gender,
        {{ function('valid_ssn') }}(new_identities.ssn) as ssn,
        streets.normalized_street as street,
        nullif(left(new_identities.zip, 5), '') as zip
    from new_identities
    left join standardized as last_names
        on new_identities.last_name = last_names.spelling
    left join standardized as first_names
        on
            new_identities.first_name = first_names.spelling
            and first_names.name not in (select placeholders.name from placeholders)
    left join standardized as middle_names
        on new_identities.middle_name = middle_names.spelling
    left join standardized as suffixes
        on new_identities.suffix = suffixes.spelling
    left join streets using (street)
    left join nicknames on first_names.name = nicknames.first_name

)

select * from identities
