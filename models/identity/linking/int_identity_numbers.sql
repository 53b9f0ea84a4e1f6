with

records as (

    select distinct
        identity_id,
        mci_id
    from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

identities as not materialized (

    select * from {{ ref('int_identities') }}
    where record_type = 'client'

),

thresholds as (

    select * from {{ ref('match_thresholds') }}
    where setting = 'most_people_per_number'

),

used as (

    select distinct
        numbers.number_type,
        numbers.number,
        records.identity_id as client_identity_id,
        identities.first_name,
        identities.birth_date
    from records
    inner join identities on records.identity_id = identities.identity_id
    cross join
        lateral (
            values
            ('ssn', identities.ssn),
            ('mci', records.mci_id),
            -- Name, birth date and address together are as good as a number.
            (
                'person',
                identities.first_name || '|' || identities.last_name || '|'
                || identities.birth_date || '|' || identities.street || '|'
                || identities.zip
            )
        ) as numbers (number_type, number)
    where numbers.number is not null

),

-- Relatives share a number, and clerks mistype names and dates. Beyond that the number
-- stands for nobody.
counted as (

    select
        number_type,
        number,
        count(distinct concat_ws('|', first_name, birth_date)) as people,
        count(distinct date_part('year', birth_date)) as birth_years
    from used
    group by number_type, number
    having count(*) > 1

),

numbers as (

    select
        used.number_type,
        used.number,
        used.client_identity_id,
        counted.people,
        counted.birth_years,
        counted.people <= thresholds.value as is_evidence
    from used
    inner join counted
        on used.number_type = counted.number_type and used.number = counted.number
    cross join thresholds

)

select * from numbers
