-- depends_on: {{ ref('int_identity_clients') }}
-- depends_on: {{ ref('int_identity_updated_clients') }}
{{ config(tags='incremental_linking', pre_hook=plan_for_pass()) }}

with

students as (

    select * from {{ ref('stg_student_versions') }}

),

clients as (

    {% if is_full_pass() %}
    select * from {{ ref('int_identity_clients') }}
    {% else %}
    select * from {{ ref('int_identity_updated_clients') }}
    {% endif %}
    where is_compared

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

    select
        'client' as record_type,
        'dhs' as partner_id,
        clients.record_id,
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
