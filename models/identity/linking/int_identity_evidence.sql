-- A view: five rows for every pair are made again sooner than kept. Without CTEs it
-- merges into the query that reads it (`stg_clients` says more).
{{ config(materialized='view', tags='incremental_linking') }}

-- Agreement on a rare name says more than agreement on a common one. Whatever is not
-- among the frequencies is rarer than all of them.
select
    comparisons.student_identity_id,
    comparisons.other_identity_id,
    levels.comparison,
    levels.level,
    {{ function('evidence_weight') }}(
        match_weights.m_probability,
        match_weights.u_probability,
        match_weights.term_frequency_weight,
        match_weights.term_frequency_u_probability,
        match_weights.term_frequency_minimum,
        coalesce(term_frequencies.frequency, match_weights.term_frequency_minimum),
        null
    ) as weight
from {{ ref('int_identity_comparisons') }} as comparisons
cross join
    lateral (
        values
        ('last_name', comparisons.last_name, comparisons.shared_last_name),
        ('first_name', comparisons.first_name, comparisons.shared_first_name),
        ('middle_name', comparisons.middle_name, null),
        ('suffix', comparisons.suffix, null),
        ('birth_date', comparisons.birth_date, null),
        ('gender', comparisons.gender, null),
        ('ssn', comparisons.ssn, null),
        ('address', comparisons.address, null),
        ('state_id', comparisons.state_id, null)
    ) as levels (comparison, level, shared_name)
inner join {{ ref('match_weights') }} as match_weights
    on
        levels.comparison = match_weights.comparison
        and levels.level = match_weights.level
left join {{ ref('match_term_frequencies') }} as term_frequencies
    on
        levels.comparison = term_frequencies.comparison
        and levels.shared_name = term_frequencies.term
