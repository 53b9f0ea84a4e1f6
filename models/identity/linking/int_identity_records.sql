-- Linking looks up the records of few identities, and which identities are alive.
{{ config(indexes=[{'columns': ['identity_id']}]) }}

with

-- Not materialized, so that parallel workers can hash the records.
student_versions as not materialized (

    select * from {{ ref('int_student_versions') }}

),

clients as not materialized (

    select * from {{ ref('int_clients_accepted') }}

),

decisions as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'client'

),

thresholds as (

    select * from {{ ref('match_thresholds') }}
    where setting = 'birth_years_apart'

),

student_birth_years as (

    select distinct
        cast(
            date_trunc(
                'year', {{ function('valid_birth_date') }}(birth_date, first_as_of_date)
            ) as date
        ) as first_day
    from student_versions

),

-- Most clients are too old to be a student. Ranges around each birth year, because a
-- single wrong birth date would otherwise add everybody who is younger.
compared_dates as (

    select
        range_agg(
            daterange(
                cast(years.first_day - apart.value * interval '1 year' as date),
                cast(years.first_day + (apart.value + 1) * interval '1 year' as date)
            )
        ) as birth_dates
    from student_birth_years as years
    cross join thresholds as apart
    where years.first_day is not null

),

combined as (

    select
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
        string_agg(distinct city, ' / ') as city,
        zip
    from student_versions
    group by
        partner_id,
        record_id,
        student_key,
        state_student_id,
        last_name,
        first_name,
        middle_name,
        suffix,
        {{ function('valid_birth_date') }}(birth_date, first_as_of_date),
        gender,
        ssn,
        street,
        zip

    union all

    select
        'client' as record_type,
        partner_id,
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
        city,
        zip
    from clients
    where
        (
            {{ function('valid_birth_date') }}(birth_date, as_of_date)
            <@ (select compared_dates.birth_dates from compared_dates)
        ) is not false
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
