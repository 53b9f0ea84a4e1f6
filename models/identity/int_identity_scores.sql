-- A view: the prior, which moves with the number of clients, is not kept per pair.
{{ config(materialized='view') }}

with

weights as (

    select * from {{ ref('int_identity_weights') }}

),

identities as (

    select * from {{ ref('int_identities') }}

),

match_model as (

    select * from {{ ref('match_model') }}

),

clients as (

    select count(*) as client_identities
    from identities
    where record_type = 'client'

),

-- The more people one looks through, the likelier a chance agreement: among four times
-- the clients of the training a match is four times as improbable, two bits. Only in
-- such steps, so that a few new clients do not move every weight. An aggregate, because
-- the planner then knows that it is one number.
chance as (

    select
        max(
            {{ function('evidence_weight') }}(
                match_model.probability_two_random_records_match,
                1 - match_model.probability_two_random_records_match,
                null, null, null, null, null
            )
            - 2 * greatest(
                0,
                floor(
                    ln(
                        greatest(clients.client_identities, 1)
                        / cast(match_model.client_identities as double precision)
                    ) / ln(4)
                )
            )
        ) as prior_match_weight
    from match_model
    cross join clients

),

weighed as (

    select
        weights.*,
        chance.prior_match_weight + weights.weight as match_weight
    from weights
    cross join chance

),

scores as (

    select
        *,
        {{ function('match_probability') }}(match_weight) as match_probability
    from weighed

)

select * from scores
