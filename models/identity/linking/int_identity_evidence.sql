-- A view: several rows for every pair are made again sooner than kept.
{{ config(materialized='view') }}
{%- set compared = [
    'last_name', 'first_name', 'middle_name', 'suffix', 'birth_date', 'gender', 'ssn',
    'address', 'state_id',
] %}

with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_student'

),

client_evidence as (

    select * from {{ ref('int_identity_client_evidence') }}

),

evidence as (

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
    where levels.level is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from evidence
