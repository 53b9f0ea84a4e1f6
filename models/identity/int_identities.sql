{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=delete_before_append(
            "not exists (
                select from {{ ref('int_identity_tuples') }} as tuples
                where tuples.identity_id = this.identity_id
            )"
        )
    )
}}

with

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

-- Clients repeat themselves, so distinct tuples come first.
distinct_tuples as (

    select distinct
        tuples.identity_id,
        tuples.record_type,
        tuples.student_key,
        tuples.state_student_id,
        tuples.last_name,
        tuples.first_name,
        tuples.middle_name,
        tuples.suffix,
        tuples.birth_date,
        tuples.gender,
        tuples.ssn,
        tuples.street,
        tuples.zip
    from tuples
    {% if is_incremental() %}
    where
        not exists (
            select from {{ this }} as known
            where known.identity_id = tuples.identity_id
        )
    {% endif %}

),

-- Standardizing is costly and names repeat themselves: each spelling is done once.
spellings as (

    select last_name as spelling from distinct_tuples
    union
    select first_name as spelling from distinct_tuples
    union
    select middle_name as spelling from distinct_tuples
    union
    select suffix as spelling from distinct_tuples

),

normalized as (

    select
        spelling,
        {{ function('normalized_name') }}(spelling) as words
    from spellings
    where spelling is not null

),

-- The suffix has a column of its own, but many write it behind a name.
names as (

    select
        spelling,
        words,
        {{ function('without_suffix') }}(words) as bare,
        {{ function('without_suffix') }}(' ' || words) as bare_middle,
        {{ function('name_suffix') }}(words) as suffix_behind,
        {{ function('name_suffix') }}(' ' || words) as suffix_alone
    from normalized

),

written_streets as (

    select distinct street from distinct_tuples
    where street is not null

),

streets as (

    select
        street,
        {{ function('normalized_street') }}(street) as normalized_street
    from written_streets

),

identities as (

    select
        distinct_tuples.identity_id,
        distinct_tuples.record_type,
        distinct_tuples.student_key,
        distinct_tuples.state_student_id,
        replace(last_names.bare, ' ', '') as last_name,
        string_to_array(last_names.bare, ' ') as last_name_tokens,
        replace(first_names.bare, ' ', '') as first_name,
        nullif(replace(middle_names.bare_middle, ' ', ''), '') as middle_name,
        coalesce(
            suffixes.suffix_alone,
            last_names.suffix_behind,
            first_names.suffix_behind,
            middle_names.suffix_alone
        ) as suffix,
        distinct_tuples.birth_date,
        distinct_tuples.gender,
        {{ function('valid_ssn') }}(distinct_tuples.ssn) as ssn,
        streets.normalized_street as street,
        nullif(left(distinct_tuples.zip, 5), '') as zip
    from distinct_tuples
    left join names as last_names on distinct_tuples.last_name = last_names.spelling
    left join names as first_names on distinct_tuples.first_name = first_names.spelling
    left join names as middle_names
        on distinct_tuples.middle_name = middle_names.spelling
    left join names as suffixes on distinct_tuples.suffix = suffixes.spelling
    left join streets on distinct_tuples.street = streets.street

)

select * from identities
