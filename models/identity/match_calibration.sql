with

match_rules as (

    select * from {{ ref('match_rules') }}
    where rule <> 'side_by_side'

),

match_bands as (

    select
        *,
        lead(weight_from) over (order by weight_from) as weight_to
    from {{ ref('match_bands') }}

),

candidates as (

    select * from {{ ref('int_identity_client_candidates') }}
    where reviewed_decision is not null and match_weight is not null

),

thresholds as (

    select * from {{ ref('match_thresholds') }}
    where setting = 'enough_reviews'

),

shipped as (

    select
        rule,
        cast(null as double precision) as weight_from,
        cast(null as double precision) as weight_to,
        cast(true_share as double precision) as measured_share
    from match_rules

    union all

    select
        null as rule,
        weight_from,
        weight_to,
        cast(true_share as double precision) as measured_share
    from match_bands

),

-- What reviewers decided about pairs that a rule holds, or of such a weight.
reviewed as (

    select
        shipped.rule,
        shipped.weight_from,
        shipped.weight_to,
        shipped.measured_share,
        count(candidates.client_person_id) as reviews,
        count(candidates.client_person_id) filter (
            where candidates.reviewed_decision = 'link'
        ) as reviewed_links
    from shipped
    left join candidates
        on
            shipped.rule = candidates.rule
            or (
                candidates.rule is null
                and shipped.weight_from <= candidates.match_weight
                and coalesce(shipped.weight_to > candidates.match_weight, true)
            )
    group by
        shipped.rule,
        shipped.weight_from,
        shipped.weight_to,
        shipped.measured_share

),

match_calibration as (

    select
        reviewed.*,
        case
            when reviewed.reviews >= thresholds.value
                then
                    cast(reviewed.reviewed_links as double precision)
                    / reviewed.reviews
            else reviewed.measured_share
        end as true_share
    from reviewed
    cross join thresholds

)

select * from match_calibration
