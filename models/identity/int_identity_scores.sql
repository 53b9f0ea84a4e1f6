with

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}

),

evidence as (

    select * from {{ ref('int_identity_evidence') }}

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
-- such steps, so that a few new clients do not move every weight.
chance as (

    select
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
        ) as prior_match_weight
    from match_model
    cross join clients

),

-- In whole trillionths of a bit: a floating-point sum depends on the order of its
-- terms, and decimals take longer.
sums as (

    select
        student_identity_id,
        other_identity_id,
        sum(cast(weight * 1e12 as bigint)) as weight
    from evidence
    group by student_identity_id, other_identity_id

),

weighed as (

    select
        comparisons.*,
        chance.prior_match_weight + cast(sums.weight as double precision) / 1e12
            as match_weight
    from comparisons
    inner join sums
        on
            comparisons.student_identity_id = sums.student_identity_id
            and comparisons.other_identity_id = sums.other_identity_id
    cross join chance

),

scores as (

    select
        *,
        {{ function('match_probability') }}(match_weight) as match_probability
    from weighed

)

select * from scores
