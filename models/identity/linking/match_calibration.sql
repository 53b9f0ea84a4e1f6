with

match_rules as (

    select * from {{ ref('match_rules') }}
    where rule <> 'side_by_side'

),

match_bands as (

    select
        *,
        lead(weight_from) over (
            partition by evidence order by weight_from
        ) as weight_to
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

measured as (

    select
        rule,
        null as evidence,
        cast(null as double precision) as weight_from,
        cast(null as double precision) as weight_to,
        cast(true_share as double precision) as measured_share
    from match_rules

    union all

    select
        null as rule,
        evidence,
        weight_from,
        weight_to,
        cast(true_share as double precision) as measured_share
    from match_bands

),

-- Reviewers' decisions about pairs that the rule keeps from linking, or whose evidence
-- and weight are those of the band.
reviewed as (

    select
        measured.rule,
        measured.evidence,
        measured.weight_from,
        measured.weight_to,
        measured.measured_share,
        count(candidates.client_person_id) as reviews,
        count(candidates.client_person_id) filter (
            where candidates.reviewed_decision = 'link'
        ) as reviewed_links
    from measured
    left join candidates
        on
            measured.rule = candidates.rule
            or (
                candidates.rule is null
                and measured.evidence = candidates.evidence
                and measured.weight_from <= candidates.match_weight
                and coalesce(measured.weight_to > candidates.match_weight, true)
            )
    group by
        measured.rule,
        measured.evidence,
        measured.weight_from,
        measured.weight_to,
        measured.measured_share

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
