-- depends_on: {{ ref('int_identity_reconsidered') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=delete_before_append(
            "this.client_identity_id in (
                select client_identity_id from {{ ref('int_identity_reconsidered') }}
            )"
        )
    )
}}

with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where
        pair_type = 'student_client'
        {% if is_incremental() %}
        and other_identity_id in (
            select reconsidered.client_identity_id
            from {{ ref('int_identity_reconsidered') }} as reconsidered
        )
        {% endif %}

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

thresholds as (

    select
        max(value) filter (where setting = 'link_weight') as link_weight,
        max(value) filter (where setting = 'review_weight') as review_weight,
        max(value) filter (where setting = 'near_tie_margin') as near_tie_margin,
        max(value) filter (where setting = 'namesake_weight') as namesake_weight
    from {{ ref('match_thresholds') }}

),

-- Read twice: a copy of it would be made by one process alone.
rules as not materialized (

    select
        bool_or(rule = 'different_first_name') as different_first_name,
        bool_or(rule = 'different_suffix') as different_suffix,
        bool_or(rule = 'different_birth_date') as different_birth_date,
        bool_or(rule = 'contradicted_first_name') as contradicted_first_name,
        bool_or(rule = 'unknown_name_or_birth_date') as unknown_name_or_birth_date,
        bool_or(rule = 'near_tie') as near_tie,
        bool_or(rule = 'other_namesake') as other_namesake
    from {{ ref('match_rules') }}

),

-- Of all that a person was ever called, what agrees best with the client counts.
best as (

    select distinct on (scores.other_identity_id, persons.person_id)
        scores.other_identity_id,
        scores.student_identity_id,
        scores.student_key,
        scores.match_weight,
        scores.match_probability,
        scores.first_name,
        scores.last_name,
        persons.person_id,
        {{ match_rule('scores', 'rules') }} as pair_rule
    from scores
    inner join persons on scores.student_key = persons.student_key
    cross join rules
    order by
        scores.other_identity_id,
        persons.person_id,
        scores.match_weight desc,
        scores.student_identity_id

),

-- Records that say the same follow what a reviewer decided about one of them.
reviewed as (

    select distinct on (records.identity_id, persons.person_id)
        records.identity_id,
        persons.person_id,
        reviews.student_key,
        reviews.decision_id,
        reviews.decision
    from reviews
    inner join records on reviews.other_record_key = records.record_id
    inner join persons on reviews.student_key = persons.student_key
    order by records.identity_id, persons.person_id, reviews.decision_id desc

),

-- Reviewers decided pairs, too, that nothing would compare any more.
considered as (

    select
        coalesce(best.other_identity_id, reviewed.identity_id) as other_identity_id,
        best.student_identity_id,
        coalesce(best.student_key, reviewed.student_key) as student_key,
        coalesce(best.person_id, reviewed.person_id) as person_id,
        best.match_weight,
        best.match_probability,
        best.pair_rule,
        best.first_name,
        -- A twin's name may differ by a letter: nobody is taken for one while the
        -- other, who bears the very name, comes into question.
        coalesce(
            best.first_name = 'exact'
            and best.last_name not in ('different', 'crossed')
            and best.match_weight >= thresholds.namesake_weight
            and reviewed.decision is distinct from 'no_link',
            false
        ) as is_namesake,
        reviewed.decision as reviewed_decision,
        -- One person at most: the newest link wins; what was refused comes last.
        case
            when reviewed.decision = 'link' then reviewed.decision_id
            when reviewed.decision = 'no_link' then -1
            else 0
        end as precedence
    from best
    full outer join reviewed
        on
            best.other_identity_id = reviewed.identity_id
            and best.person_id = reviewed.person_id
    cross join thresholds

),

ranked as (

    select
        *,
        row_number() over by_weight as person_rank,
        lead(person_id) over by_weight as next_person_id,
        lead(match_weight) over by_weight as next_weight,
        coalesce(lead(reviewed_decision) over by_weight = 'no_link', false)
            as is_next_refused,
        bool_or(is_namesake) over (partition by other_identity_id) as has_namesake
    from considered
    window by_weight as (
        partition by other_identity_id
        order by precedence desc, match_weight desc nulls last, person_id
    )

),

-- A client is one person: only the best candidate can be it, and only if it stands out.
ruled as (

    select
        ranked.*,
        thresholds.link_weight,
        thresholds.review_weight,
        case when not ranked.is_next_refused then ranked.next_person_id end
            as runner_up_person_id,
        case when not ranked.is_next_refused then ranked.next_weight end
            as runner_up_weight,
        case
            when ranked.reviewed_decision is not null then null
            when ranked.pair_rule is not null then ranked.pair_rule
            when
                ranked.first_name <> 'exact'
                and ranked.has_namesake
                and rules.other_namesake
                then 'other_namesake'
            when
                not ranked.is_next_refused
                and ranked.next_weight
                > ranked.match_weight - thresholds.near_tie_margin
                and rules.near_tie
                then 'near_tie'
        end as rule
    from ranked
    cross join thresholds
    cross join rules

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
            when person_rank > 1 or reviewed_decision = 'no_link' then 'none'
            when reviewed_decision = 'link' then 'link'
            when match_weight < review_weight then 'none'
            when rule is not null or match_weight < link_weight then 'review'
            else 'link'
        end as decision,
        case when reviewed_decision is null then 'model' else 'reviewer' end
            as decided_by
    from ruled

)

select * from client_decisions
