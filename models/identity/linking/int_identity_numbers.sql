with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

policy as not materialized (

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

-- Name, birth date and address together identify a person as well as a number does.
uses as not materialized (

    select
        identity_id as client_identity_id,
        unnest(array['ssn', 'person']) as number_type,
        unnest(array[
            ssn,
            first_name || '|' || last_name || '|' || birth_date || '|' || street
            || '|' || zip
        ]) as number
    from identities

    union all

    select
        identity_id as client_identity_id,
        'mci' as number_type,
        mci_id as number
    from records

),

-- Only numbers of clients who resemble a student: a few among millions.
compared_numbers as (

    select distinct
        number_type,
        number
    from uses
    where
        number is not null
        and client_identity_id in (
            select scores.other_identity_id
            from scores
            cross join policy
            where scores.match_weight >= policy.pooling_weight
        )

),

-- Materialized, because the planner expects far more of them, and would join and sort
-- millions of clients before it looks for the few.
shared_uses as materialized (

    select distinct uses.*
    from uses
    inner join compared_numbers using (number_type, number)

),

-- Without identities of earlier builds that no record has any longer.
live_identities as (

    select distinct identity_id
    from records
    where identity_id in (select shared_uses.client_identity_id from shared_uses)

),

live_uses as (

    select
        shared_uses.*,
        identities.first_name,
        identities.first_name_forms,
        identities.middle_name,
        identities.birth_date
    from shared_uses
    inner join live_identities
        on shared_uses.client_identity_id = live_identities.identity_id
    inner join identities using (identity_id)

),

-- Relatives and typos count as other people: the cap leaves room for them.
counts as (

    select
        number_type,
        number,
        count(distinct concat_ws('|', first_name, birth_date)) as people,
        count(distinct date_part('year', birth_date)) as birth_years
    from live_uses
    group by number_type, number
    having count(*) > 1

),

numbers as (

    select
        live_uses.*,
        counts.people,
        counts.birth_years,
        counts.people <= policy.most_people_per_number as is_evidence
    from live_uses
    inner join counts using (number_type, number)
    cross join policy

)

select * from numbers
