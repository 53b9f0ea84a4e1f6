{{ config(tags='incremental_linking') }}
{% set known = linking_state('int_identity_client_decisions') %}

with

identity_pass as (

    select * from {{ ref('int_identity_pass') }}

),

pairs as (

    select * from {{ ref('int_identity_pairs') }}
    where pair_type = 'student_client'

),

reblocked as (

    select * from {{ ref('int_identity_reblocked') }}

),

weights as (

    select * from {{ ref('int_identity_weights') }}
    where pair_type = 'student_client'

),

priors as (

    select * from {{ ref('int_identity_prior') }}

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

reviews as (

    select * from {{ ref('stg_link_decisions') }}
    where other_record_type = 'client'

),

known as (

    {% if known and not is_full_pass() %}
    select
        client_identity_id,
        student_identity_id,
        decided_by
    from {{ known }}
    {% else %}
    select
        cast(null as uuid) as client_identity_id,
        cast(null as uuid) as student_identity_id,
        cast(null as text) as decided_by
    where false
    {% endif %}

),

-- A decision about a client hangs on the pairs of the client, on whose the students of
-- these pairs are, on the prior, and on what reviewers say.
unsettled as (

    select other_identity_id as client_identity_id
    from pairs

    union

    select client_identity_id
    from known
    where
        student_identity_id in (select reblocked.identity_id from reblocked)
        or client_identity_id in (select reblocked.identity_id from reblocked)
        or decided_by = 'reviewer'

    union

    select weights.other_identity_id as client_identity_id
    from weights
    inner join persons on weights.student_key = persons.student_key
    where persons.person_id is distinct from persons.last_person_id

    union

    select weights.other_identity_id as client_identity_id
    from weights
    cross join priors
    where priors.prior_match_weight is distinct from priors.last_prior_match_weight

    union

    select records.identity_id as client_identity_id
    from reviews
    inner join records on reviews.other_record_key = records.record_id

),

reconsidered as (

    select client_identity_id from unsettled
    where (select not identity_pass.is_full from identity_pass)

)

select * from reconsidered
