-- A view: the prior, which moves with the number of clients, is not kept per pair.
-- Without CTEs it merges into the query that reads it (`stg_clients` says more).
{{ config(materialized='view', tags='incremental_linking') }}

select
    weights.*,
    priors.prior_match_weight + weights.weight as match_weight,
    {{ function('match_probability') }}(priors.prior_match_weight + weights.weight)
        as match_probability
from {{ ref('int_identity_weights') }} as weights
cross join {{ ref('int_identity_prior') }} as priors
