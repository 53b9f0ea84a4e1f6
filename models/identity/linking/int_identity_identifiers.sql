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

-- Name, birth date and address together identify a person as well as an SSN does.
uses as not materialized (

    select
        identity_id as client_identity_id,
        unnest(array['ssn', 'person']) as identifier_type,
        unnest(array[
            ssn,
            first_name || '|' || last_name || '|' || birth_date || '|' || street
            || '|' || zip
        ]) as identifier
    from identities

    union all

    select
        identity_id as client_identity_id,
        'mci' as identifier_type,
        {{ function('valid_mci') }}(mci_id) as identifier
    from records

),

-- Only identifiers of clients who resemble a student: a few among millions.
compared_identifiers as (

    select distinct
        identifier_type,
        identifier
    from uses
    where
        identifier is not null
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
    inner join compared_identifiers using (identifier_type, identifier)

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
        identities.last_name,
        identities.birth_date
    from shared_uses
    inner join live_identities
        on shared_uses.client_identity_id = live_identities.identity_id
    inner join identities using (identity_id)

),

-- Relatives and typos count as other people: the cap leaves room for them. Without a
-- birth date, the surname distinguishes people of one first name.
counts as (

    select
        identifier_type,
        identifier,
        count(
            distinct concat_ws(
                '|', first_name, coalesce(cast(birth_date as text), last_name)
            )
        ) as people,
        count(distinct date_part('year', birth_date)) as birth_years
    from live_uses
    group by identifier_type, identifier
    having count(*) > 1

),

identifiers as (

    select
        live_uses.*,
        counts.people,
        counts.birth_years,
        counts.people <= policy.most_people_per_identifier as is_evidence
    from live_uses
    inner join counts using (identifier_type, identifier)
    cross join policy

)

select * from identifiers
