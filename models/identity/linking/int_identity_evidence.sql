-- A view: five rows for every pair are made again sooner than kept. Without CTEs it
-- merges into the query that reads it (`stg_clients` says more).
{{ config(materialized='view') }}

select
    scores.student_identity_id,
    scores.other_identity_id,
    levels.comparison,
    levels.level,
    levels.weight
from {{ ref('int_identity_scores') }} as scores
cross join
    lateral (
        values
        ('last_name', scores.last_name, scores.last_name_weight),
        ('first_name', scores.first_name, scores.first_name_weight),
        ('middle_name', scores.middle_name, scores.middle_name_weight),
        ('suffix', scores.suffix, scores.suffix_weight),
        ('birth_date', scores.birth_date, scores.birth_date_weight),
        ('gender', scores.gender, scores.gender_weight),
        ('ssn', scores.ssn, scores.ssn_weight),
        ('address', scores.address, scores.address_weight),
        ('state_id', scores.state_id, scores.state_id_weight)
    ) as levels (comparison, level, weight)
where levels.level is not null
