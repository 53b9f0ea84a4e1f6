-- A view without CTEs merges into the query that reads it (`stg_clients` says more).
{{ config(materialized='view', tags='incremental_linking') }}

select
    identities.identity_id,
    identities.record_type,
    identities.last_name,
    identities.last_name_tokens,
    identities.last_name_sound,
    identities.first_name,
    case
        when identities.first_name is not null
            then identities.first_name || coalesce(full_names.full_names, '{}')
    end as first_name_forms,
    identities.first_name_sound,
    identities.middle_name,
    identities.suffix,
    identities.birth_date,
    identities.gender,
    identities.ssn,
    identities.street,
    identities.zip,
    identities.state_student_id
from {{ ref('int_identities') }} as identities
-- Of two names that share a form, one is a nickname of the other, or both are of a
-- third.
left join
    ( -- noqa: ST05
        select
            nickname as first_name,
            array_agg(first_name order by first_name) as full_names
        from {{ ref('first_name_nicknames') }}
        group by nickname
    ) as full_names
    on identities.first_name = full_names.first_name
