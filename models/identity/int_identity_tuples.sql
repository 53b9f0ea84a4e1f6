{{ config(materialized='view') }}

with

students as (

    select * from {{ ref('stg_student_versions') }}

),

clients as (

    select * from {{ ref('stg_clients') }}

),

tuples as (

    select
        'student' as record_type,
        district_id as partner_id,
        district_student_id as record_id,
        {{ student_key('students') }} as student_key,
        state_student_id,
        last_name,
        first_name,
        middle_name,
        suffix,
        birth_date,
        gender,
        ssn,
        street,
        zip
    from students

    union all

    select
        'client' as record_type,
        'dhs' as partner_id,
        source_id || ':' || source_client_id as record_id,
        null as student_key,
        null as state_student_id,
        last_name,
        first_name,
        middle_name,
        suffix,
        birth_date,
        gender,
        ssn,
        street,
        zip
    from clients

),

-- A student's identities stay the student's own; clients that say the same share one.
identified as (

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
                    coalesce(to_char(birth_date, 'YYYYMMDD'), ''),
                    coalesce(gender, ''),
                    coalesce(ssn, ''),
                    coalesce(street, ''),
                    coalesce(zip, '')
                )
            ) as uuid
        ) as identity_id
    from tuples

)

select * from identified
