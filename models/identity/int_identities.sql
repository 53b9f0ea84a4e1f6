with

tuples as (

    select * from {{ ref('int_identity_tuples') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

-- Standardizing is costly and clients repeat themselves, so distinct tuples come first.
distinct_tuples as (

    select distinct
        identity_id,
        record_type,
        student_key,
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
    from tuples

),

cleaned as (

    select
        distinct_tuples.identity_id,
        distinct_tuples.record_type,
        distinct_tuples.student_key,
        distinct_tuples.state_student_id,
        distinct_tuples.gender,
        {{ function('normalized_name') }}(distinct_tuples.last_name) as last_words,
        {{ function('normalized_name') }}(distinct_tuples.first_name) as first_words,
        {{ function('normalized_name') }}(distinct_tuples.middle_name) as middle_words,
        {{ function('normalized_name') }}(distinct_tuples.suffix) as suffix,
        {{ function('valid_birth_date') }}(
            distinct_tuples.birth_date, as_of.as_of_date
        ) as birth_date,
        {{ function('valid_ssn') }}(distinct_tuples.ssn) as ssn,
        {{ function('normalized_street') }}(distinct_tuples.street) as street,
        nullif(left(distinct_tuples.zip, 5), '') as zip
    from distinct_tuples
    cross join as_of

),

-- The suffix has a column of its own, but many write it behind a name.
parted as (

    select
        *,
        {{ function('without_suffix') }}(last_words) as last_bare,
        {{ function('without_suffix') }}(first_words) as first_bare,
        coalesce(
            {{ function('name_suffix') }}(' ' || suffix),
            {{ function('name_suffix') }}(last_words),
            {{ function('name_suffix') }}(first_words),
            {{ function('name_suffix') }}(' ' || middle_words)
        ) as known_suffix
    from cleaned

),

identities as (

    select
        identity_id,
        record_type,
        student_key,
        state_student_id,
        replace(last_bare, ' ', '') as last_name,
        string_to_array(last_bare, ' ') as last_name_tokens,
        replace(first_bare, ' ', '') as first_name,
        nullif(
            replace({{ function('without_suffix') }}(' ' || middle_words), ' ', ''), ''
        )
            as middle_name,
        known_suffix as suffix,
        birth_date,
        gender,
        ssn,
        street,
        zip
    from parted

)

select * from identities
