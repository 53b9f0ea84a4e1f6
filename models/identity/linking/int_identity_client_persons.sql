with recursive

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

numbers as (

    select * from {{ ref('int_identity_numbers') }}
    where is_evidence

),

identities as not materialized (

    select * from {{ ref('int_identities') }}
    where record_type = 'client'

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

neighbors as (

    select
        numbers.client_identity_id as identity_id,
        others.client_identity_id as other_identity_id,
        min(numbers.birth_years) as birth_years
    from compared
    inner join numbers on compared.identity_id = numbers.client_identity_id
    inner join numbers as others
        on
            numbers.number_type = others.number_type
            and numbers.number = others.number
            and numbers.client_identity_id <> others.client_identity_id
    group by numbers.client_identity_id, others.client_identity_id

),

-- A number is evidence, not proof, as relatives share it: birth date and first name
-- have to agree, too, as far as a clerk may mistake them. An unknown birth date agrees
-- where nobody of another year uses the number.
links as (

    select
        identity_id,
        identity_id as linked_identity_id
    from compared

    union

    select
        sides.identity_id,
        sides.linked_identity_id
    from neighbors
    inner join identities on neighbors.identity_id = identities.identity_id
    inner join identities as others on neighbors.other_identity_id = others.identity_id
    cross join
        lateral (
            values
            (neighbors.identity_id, neighbors.other_identity_id),
            (neighbors.other_identity_id, neighbors.identity_id)
        ) as sides (identity_id, linked_identity_id)
    where
        coalesce(
            {{ function('is_near_date') }}(identities.birth_date, others.birth_date),
            neighbors.birth_years <= 1
        )
        and (
            left(identities.first_name, 1)
            in (left(others.first_name, 1), left(others.middle_name, 1))
            or left(identities.middle_name, 1) = left(others.first_name, 1)
            or identities.first_name_forms && others.first_name_forms
        )

),

-- Who has the smallest id of a client also has the smallest of its neighbors: to follow
-- the links from such identities alone finds everybody, in a tenth of the time.
reached (identity_id, client_person_id) as (

    select
        identity_id,
        identity_id as client_person_id
    from links
    group by identity_id
    having bool_and(identity_id <= linked_identity_id)

    union

    select
        links.linked_identity_id as identity_id,
        reached.client_person_id
    from reached
    inner join links on reached.identity_id = links.identity_id

),

client_persons as (

    select
        reached.identity_id as client_identity_id,
        cast(min(cast(reached.client_person_id as text)) as uuid) as client_person_id,
        compared.identity_id is not null as is_compared
    from reached
    left join compared on reached.identity_id = compared.identity_id
    group by reached.identity_id, compared.identity_id

)

select * from client_persons
