with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

thresholds as (

    select
        max(value) filter (where setting = 'link_weight') as link_weight,
        max(value) filter (where setting = 'review_weight') as review_weight,
        max(value) filter (where setting = 'near_tie_margin') as near_tie_margin
    from {{ ref('match_thresholds') }}

),

-- Of all that a person was ever called, what agrees best with the client counts.
best as (

    select distinct on (scores.other_identity_id, persons.person_id)
        scores.*,
        persons.person_id,
        {{ match_rule('scores') }} as pair_rule
    from scores
    inner join persons on scores.student_key = persons.student_key
    order by
        scores.other_identity_id,
        persons.person_id,
        scores.match_weight desc,
        scores.student_identity_id

),

ranked as (

    select
        *,
        row_number() over by_weight as person_rank,
        lead(person_id) over by_weight as runner_up_person_id,
        lead(match_weight) over by_weight as runner_up_weight
    from best
    window by_weight as (
        partition by other_identity_id
        order by match_weight desc, person_id
    )

),

-- A client is one person: only the best candidate can be it, and only if it stands out.
ruled as (

    select
        ranked.*,
        thresholds.link_weight,
        thresholds.review_weight,
        coalesce(
            ranked.pair_rule,
            case
                when
                    ranked.runner_up_weight
                    > ranked.match_weight - thresholds.near_tie_margin
                    then 'near_tie'
            end
        ) as rule
    from ranked
    cross join thresholds

),

client_decisions as (

    select
        other_identity_id as client_identity_id,
        student_identity_id,
        student_key,
        person_id,
        match_weight,
        match_probability,
        person_rank,
        runner_up_person_id,
        runner_up_weight,
        rule,
        case
            when person_rank > 1 or match_weight < review_weight then 'none'
            when rule is not null or match_weight < link_weight then 'review'
            else 'link'
        end as decision
    from ruled

)

select * from client_decisions
