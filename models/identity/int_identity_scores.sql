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

match_priors as (

    select * from {{ ref('match_priors') }}

),

-- The more people one looks through, the likelier a chance agreement. In steps, so that
-- a few new clients do not move every weight.
chance as (

    select max(match_priors.prior_match_weight) as prior_match_weight
    from match_priors
    where
        match_priors.client_identities_up_to >= (
            select count(*) from identities
            where identities.record_type = 'client'
        )

),

-- Exact decimals: a floating-point sum depends on the order of its terms.
sums as (

    select
        student_identity_id,
        other_identity_id,
        sum(cast(weight as numeric(20, 12))) as weight
    from evidence
    group by student_identity_id, other_identity_id

),

weighed as (

    select
        comparisons.*,
        cast(chance.prior_match_weight + sums.weight as double precision)
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
        1 / (1 + power(2, -match_weight)) as match_probability
    from weighed

)

select * from scores
