{%- set compared = compared_columns() %}

with

pairs as (

    select * from {{ ref('int_identity_pairs') }}

),

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}

),

priors as (

    select * from {{ ref('int_identity_prior') }}

),

match_weights as not materialized (

    select * from {{ ref('match_weights') }}

),

term_frequencies as not materialized (

    select * from {{ ref('match_term_frequencies') }}

),

-- Agreement on a rare name is stronger evidence. Names without a frequency count as the
-- rarest.
weights as (

    select
        {% for comparison in compared %}
        comparisons.{{ comparison }},
        {{ function('evidence_weight') }}(
            {{ comparison }}_levels.m_probability,
            {{ comparison }}_levels.u_probability,
            {{ comparison }}_levels.term_frequency_weight,
            {{ comparison }}_levels.term_frequency_u_probability,
            {{ comparison }}_levels.term_frequency_minimum,
            {{ comparison ~ 's.frequency'
                if comparison in ('last_name', 'first_name') else 'null' }}
        ) as {{ comparison }}_weight,
        {% endfor %}
        pairs.*
    from pairs
    inner join comparisons using (student_identity_id, other_identity_id)
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

summed as (

    select
        weights.*,
        priors.prior_match_weight
        {%- for comparison in compared %}
        + coalesce(weights.{{ comparison }}_weight, 0)
        {%- endfor %} as match_weight
    from weights
    cross join priors

),

scores as (

    select
        *,
        {{ function('match_probability') }}(match_weight) as match_probability
    from summed

)

select * from scores
