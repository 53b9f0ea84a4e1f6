-- depends_on: {{ ref('int_identity_reblocked') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=delete_reblocked()
    )
}}
{%- set compared = [
    'last_name', 'first_name', 'middle_name', 'suffix', 'birth_date', 'gender', 'ssn',
    'address', 'state_id',
] %}

with

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}
    {% if is_incremental() %}
    where
        student_identity_id in (
            select reblocked.identity_id
            from {{ ref('int_identity_reblocked') }} as reblocked
        )
        or other_identity_id in (
            select reblocked.identity_id
            from {{ ref('int_identity_reblocked') }} as reblocked
        )
    {% endif %}

),

match_weights as not materialized (

    select * from {{ ref('match_weights') }}

),

term_frequencies as not materialized (

    select * from {{ ref('match_term_frequencies') }}

),

-- Agreement on a rare name says more than agreement on a common one. Whatever is not
-- among the frequencies is rarer than all of them.
levels as (

    select
        {% for comparison in compared %}
        {{ function('evidence_weight') }}(
            {{ comparison }}_levels.m_probability,
            {{ comparison }}_levels.u_probability,
            {{ comparison }}_levels.term_frequency_weight,
            {{ comparison }}_levels.term_frequency_u_probability,
            {{ comparison }}_levels.term_frequency_minimum,
            coalesce(
                {% if comparison in ('last_name', 'first_name') %}
                {{ comparison }}s.frequency,
                {% endif %}
                {{ comparison }}_levels.term_frequency_minimum
            ),
            null
        ) as {{ comparison }}_weight,
        {% endfor %}
        comparisons.*
    from comparisons
    left join term_frequencies as last_names
        on
            comparisons.shared_last_name = last_names.term
            and last_names.comparison = 'last_name'
    left join term_frequencies as first_names
        on
            comparisons.shared_first_name = first_names.term
            and first_names.comparison = 'first_name'
    {% for comparison in compared %}
    left join match_weights as {{ comparison }}_levels
        on
            comparisons.{{ comparison }} = {{ comparison }}_levels.level
            and {{ comparison }}_levels.comparison = '{{ comparison }}'
    {% endfor %}

),

-- In whole trillionths of a bit: a floating-point sum depends on the order of its
-- terms, and decimals take longer.
weights as (

    select
        *,
        cast(
            {% for comparison in compared %}
            coalesce(cast({{ comparison }}_weight * 1e12 as bigint), 0)
            {{ '+' if not loop.last }}
            {% endfor %}
            as double precision
        ) / 1e12 as weight
    from levels

)

select * from weights
