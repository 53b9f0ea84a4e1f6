with

student_versions as (

    select * from {{ ref('stg_student_versions') }}

),

clients as not materialized (

    select * from {{ ref('stg_clients') }}

),

decisions as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'client'

),

thresholds as (

    select * from {{ ref('match_thresholds') }}
    where setting = 'years_before_oldest_student'

),

-- Most clients are too old to be a student.
age_limit as (

    select
        cast(
            date_trunc('year', min(student_versions.birth_date))
            - max(thresholds.value) * interval '1 year' as date
        ) as born_from
    from student_versions
    cross join thresholds
    where student_versions.birth_date > date '1900-01-01'

),

combined as (

    select distinct
        'student' as record_type,
        district_id as partner_id,
        district_student_id as record_id,
        {{ student_key('student_versions') }} as student_key,
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
    from student_versions

    union all

    select
        'client' as record_type,
        'dhs' as partner_id,
        source_id || ':' || source_client_id as record_id,
        null as student_key,
        mci_id,
        null as state_student_id,
        last_name,
        first_name,
        middle_name,
        suffix,
        {{ function('valid_birth_date') }}(birth_date, as_of_date) as birth_date,
        gender,
        ssn,
        street,
        zip
    from clients
    where
        (
            birth_date > date '1900-01-01'
            and birth_date < (select age_limit.born_from from age_limit)
        ) is not true
        or source_id || ':' || source_client_id in (
            select decisions.other_record_key from decisions
        )

),

-- With the student key, students never share an identity; identical clients do. With
-- the checksum, dictionary entries of other definitions are never found.
records as (

    select
        *,
        cast(
            md5(
                concat_ws(
                    '|',
                    '{{ definitions_checksum() }}',
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
    from combined

)

select * from records
