-- depends_on: {{ ref('stg_clients') }}, {{ ref('stg_updated_clients') }}
{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}

with

students as (

    select * from {{ ref('stg_student_versions') }}

),

clients as (

    select *
    from {{ ref('stg_clients') if is_full_pass() else ref('stg_updated_clients') }}

),

decided_clients as (

    select
        split_part(other_record_key, ':', 1) as source_id,
        split_part(other_record_key, ':', 2) as source_client_id
    from {{ ref('stg_link_decisions') }}
    where other_record_type = 'client'

),

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

said as (

    select distinct
        'student' as record_type,
        district_id as partner_id,
        district_student_id as record_id,
        hashtextextended(
            district_student_id, hashtextextended(district_id, 0)
        ) as record_hash,
        {{ student_key('students') }} as student_key,
        null as mci_id,
        state_student_id,
        last_name,
        first_name,
        middle_name,
        suffix,
        {{ function('valid_birth_date') }}(birth_date, first_as_of_date) as birth_date,
        gender,
        ssn,
        street,
        zip
    from students

    union all

    -- A client too old to be any of the students is not compared with them, unless a
    -- reviewer has.
    select
        'client' as record_type,
        'dhs' as partner_id,
        clients.source_id || ':' || clients.source_client_id as record_id,
        clients.record_hash,
        null as student_key,
        clients.mci_id,
        null as state_student_id,
        clients.last_name,
        clients.first_name,
        clients.middle_name,
        clients.suffix,
        {{ function('valid_birth_date') }}(clients.birth_date, clients.as_of_date)
            as birth_date,
        clients.gender,
        clients.ssn,
        clients.street,
        clients.zip
    from clients
    cross join identity_pass
    where
        clients.birth_date >= identity_pass.clients_born_from
        or identity_pass.clients_born_from is null
        or clients.birth_date <= date '1900-01-01'
        or clients.birth_date is null
        or (clients.source_id, clients.source_client_id) in (
            select
                decided_clients.source_id,
                decided_clients.source_client_id
            from decided_clients
        )

),

-- A student's identities stay the student's own; clients that say the same share one.
tuples as (

    select
        *,
        cast(
            md5(
                concat_ws(
                    '|',
                    coalesce(student_key, ''),
                    coalesce(state_student_id, ''),
                    coalesce(last_name, ''),
                    coalesce(first_name, ''),
                    coalesce(middle_name, ''),
                    coalesce(suffix, ''),
                    coalesce(cast(birth_date - date '2000-01-01' as text), ''),
                    coalesce(gender, ''),
                    coalesce(ssn, ''),
                    coalesce(street, ''),
                    coalesce(zip, '')
                )
            ) as uuid
        ) as identity_id
    from said

)

select * from tuples
