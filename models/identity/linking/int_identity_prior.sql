with

client_identities as (

    select distinct identity_id
    from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

match_model as (

    select * from {{ ref('match_model') }}

),

clients as (

    select count(*) as client_identities from client_identities

),

-- Among four times the clients of the training, chance agreements are four times as
-- likely: two bits less. The steps keep a few new clients from changing every weight.
prior as (

    select
        {{ function('evidence_weight') }}(
            match_model.probability_two_random_records_match,
            1 - match_model.probability_two_random_records_match,
            null, null, null, null
        )
        - 2 * greatest(
            0,
            floor(
                ln(
                    greatest(clients.client_identities, 1)
                    / cast(match_model.client_identities as double precision)
                ) / ln(4)
            )
        ) as prior_match_weight
    from match_model
    cross join clients

)

select * from prior
