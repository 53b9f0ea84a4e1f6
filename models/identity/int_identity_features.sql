{{ config(materialized='view') }}

with

identities as (

    select * from {{ ref('int_identities') }}

),

first_name_nicknames as (

    select * from {{ ref('first_name_nicknames') }}

),

-- Of two names that share a form, one is a nickname of the other, or both are of a
-- third.
full_names as (

    select
        nickname as first_name,
        array_agg(first_name order by first_name) as full_names
    from first_name_nicknames
    group by nickname

),

features as (

    select
        identities.identity_id,
        identities.record_type,
        identities.last_name,
        identities.last_name_tokens,
        dmetaphone(identities.last_name) as last_name_sound,
        identities.first_name,
        case
            when identities.first_name is not null
                then identities.first_name || coalesce(full_names.full_names, '{}')
        end as first_name_forms,
        dmetaphone(identities.first_name) as first_name_sound,
        identities.middle_name,
        identities.suffix,
        identities.birth_date,
        identities.gender,
        identities.ssn,
        identities.street,
        identities.zip,
        identities.state_student_id
    from identities
    left join full_names on identities.first_name = full_names.first_name

)

select * from features
