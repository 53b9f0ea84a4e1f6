-- A view, because the rows of every pair are computed faster than stored.
{{ config(materialized='view') }}
{%- set compared = compared_columns() %}

with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_student'

),

client_evidence as (

    select * from {{ ref('int_identity_client_evidence') }}

),

match_levels as (

    select * from {{ ref('match_levels') }}

),

levels as (

    {% for pairs, other in [
        ('scores', 'other_identity_id'), ('client_evidence', 'client_person_id')
    ] %}
    select
        {{ pairs }}.student_identity_id,
        {{ pairs }}.{{ other }} as other_identity_id,
        levels.comparison,
        levels.level,
        levels.weight
    from {{ pairs }}
    cross join
        lateral (
            values
            {% for comparison in compared %}
            (
                '{{ comparison }}',
                {{ pairs }}.{{ comparison }},
                {{ pairs }}.{{ comparison }}_weight
            ){{ ',' if not loop.last }}
            {% endfor %}
        ) as levels (comparison, level, weight)
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

evidence as (

    select
        levels.*,
        match_levels.description
    from levels
    inner join match_levels using (comparison, level)

)

select * from evidence
