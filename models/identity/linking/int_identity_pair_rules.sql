{%- set compared = compared_columns() %}

with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_student'

),

client_evidence as (

    select * from {{ ref('int_identity_client_evidence') }}

),

match_rules as (

    select * from {{ ref('match_rules') }}

),

rule_conditions as (

    select * from {{ ref('match_rule_conditions') }}

),

pairs as (

    select
        'student_student' as pair_type,
        student_identity_id,
        other_identity_id,
        {{ compared | join(',\n        ') }},
        '' as facts
    from scores

    union all

    select
        'student_client' as pair_type,
        student_identity_id,
        client_person_id as other_identity_id,
        {{ compared | join(',\n        ') }},
        facts
    from client_evidence

),

-- A rule without a row in `match_rules` is not in force. An empty cell is null in a
-- database, and an empty text in a unit test.
conditions as (

    select
        {% for column in compared + ['facts'] %}
        string_to_array(nullif(rule_conditions.{{ column }}, ''), ' ')
            as {{ column }},
        {% endfor %}
        nullif(rule_conditions.pair_type, '') as pair_type,
        rule_conditions.effect,
        rule_conditions.rule,
        match_rules.priority
    from rule_conditions
    inner join match_rules using (rule)

),

-- An empty cell of a condition fits every pair.
fitting as (

    select
        pairs.student_identity_id,
        pairs.other_identity_id,
        conditions.rule,
        conditions.priority
    from pairs
    inner join conditions
        on
            (pairs.pair_type = conditions.pair_type) is not false
            {% for comparison in compared %}
            and (
                coalesce(pairs.{{ comparison }}, 'unknown')
                = any(conditions.{{ comparison }})
            ) is not false
            {% endfor %}
            and (conditions.facts <@ string_to_array(pairs.facts, ' ')) is not false
    group by
        pairs.student_identity_id,
        pairs.other_identity_id,
        conditions.rule,
        conditions.priority
    having bool_and(conditions.effect = 'holds')

),

pair_rules as (

    select distinct on (student_identity_id, other_identity_id)
        student_identity_id,
        other_identity_id,
        rule
    from fitting
    order by student_identity_id, other_identity_id, priority

)

select * from pair_rules
