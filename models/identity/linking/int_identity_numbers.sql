with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

records as not materialized (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

identities as not materialized (

    select * from {{ ref('int_identities') }}
    where record_type = 'client'

),

-- Name, birth date and address together are as good as a number.
uses as not materialized (

    select
        'ssn' as number_type,
        ssn as number,
        identity_id as client_identity_id
    from identities

    union all

    select
        'mci' as number_type,
        mci_id as number,
        identity_id as client_identity_id
    from records

    union all

    select
        'person' as number_type,
        first_name || '|' || last_name || '|' || birth_date || '|' || street || '|'
        || zip as number,
        identity_id as client_identity_id
    from identities

),

-- Of millions of clients, only the few that resemble a student matter.
compared as (

    select distinct scores.other_identity_id as client_identity_id
    from scores
    cross join policy
    where scores.match_weight >= policy.pooling_weight

),

compared_numbers as (

    select distinct
        uses.number_type,
        uses.number
    from uses
    inner join compared on uses.client_identity_id = compared.client_identity_id
    where uses.number is not null

),

-- The dictionary also holds identities that no record has any more.
used as (

    select distinct uses.*
    from uses
    inner join compared_numbers
        on
            uses.number_type = compared_numbers.number_type
            and uses.number = compared_numbers.number
    where uses.client_identity_id in (select records.identity_id from records)

),

-- Relatives share a number, and clerks mistype names and dates. Beyond that the number
-- stands for nobody.
counted as (

    select
        used.number_type,
        used.number,
        count(distinct concat_ws('|', identities.first_name, identities.birth_date))
            as people,
        count(distinct date_part('year', identities.birth_date)) as birth_years
    from used
    inner join identities on used.client_identity_id = identities.identity_id
    group by used.number_type, used.number
    having count(*) > 1

),

numbers as (

    select
        used.number_type,
        used.number,
        used.client_identity_id,
        counted.people,
        counted.birth_years,
        counted.people <= policy.most_people_per_number as is_evidence
    from used
    inner join counted
        on used.number_type = counted.number_type and used.number = counted.number
    cross join policy

)

select * from numbers
