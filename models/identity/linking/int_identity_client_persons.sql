with recursive

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

identifiers as (

    select * from {{ ref('int_identity_identifiers') }}
    where is_evidence

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

compared as (

    select distinct scores.other_identity_id as identity_id
    from scores
    cross join policy
    where scores.match_weight >= policy.pooling_weight

),

-- Relatives share identifiers, so birth date and first name have to agree as well, but
-- for a typo. An unknown birth date agrees if nobody of another birth year has the
-- identifier and a whole name is the same: an identifier alone is no evidence.
links as (

    select
        identity_id,
        identity_id as linked_identity_id
    from compared

    union

    select
        sides.identity_id,
        sides.linked_identity_id
    from compared
    inner join identifiers on compared.identity_id = identifiers.client_identity_id
    inner join identifiers as others
        on
            identifiers.identifier_type = others.identifier_type
            and identifiers.identifier = others.identifier
            and identifiers.client_identity_id <> others.client_identity_id
    cross join
        lateral (
            values
            (identifiers.client_identity_id, others.client_identity_id),
            (others.client_identity_id, identifiers.client_identity_id)
        ) as sides (identity_id, linked_identity_id)
    where
        coalesce(
            {{ function('is_near_date') }}(identifiers.birth_date, others.birth_date),
            identifiers.birth_years <= 1
            and (
                identifiers.first_name_forms && others.first_name_forms
                or identifiers.last_name = others.last_name
            )
        )
        and (
            left(identifiers.first_name, 1)
            in (left(others.first_name, 1), left(others.middle_name, 1))
            or left(identifiers.middle_name, 1) = left(others.first_name, 1)
            or identifiers.first_name_forms && others.first_name_forms
        )

),

-- Connected components, named by their smallest id. An identity with a smaller neighbor
-- cannot be that one; starting only from the others takes a tenth of the time.
components (identity_id, client_person_id) as (

    select
        identity_id,
        identity_id as client_person_id
    from links
    group by identity_id
    having bool_and(identity_id <= linked_identity_id)

    union

    select
        links.linked_identity_id as identity_id,
        components.client_person_id
    from components
    inner join links using (identity_id)

),

client_persons as (

    select
        components.identity_id as client_identity_id,
        cast(min(cast(components.client_person_id as text)) as uuid)
            as client_person_id,
        compared.identity_id is not null as is_compared
    from components
    left join compared using (identity_id)
    group by components.identity_id, compared.identity_id

)

select * from client_persons
