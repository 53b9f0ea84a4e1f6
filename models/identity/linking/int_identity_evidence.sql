-- A view: five rows for every pair are made again sooner than kept. Without CTEs it
-- merges into the query that reads it (`stg_clients` says more).
{{ config(materialized='view') }}

select
    weights.student_identity_id,
    weights.other_identity_id,
    levels.comparison,
    levels.level,
    levels.weight
from {{ ref('int_identity_weights') }} as weights
cross join
    lateral (
        values
        ('last_name', weights.last_name, weights.last_name_weight),
        ('first_name', weights.first_name, weights.first_name_weight),
        ('middle_name', weights.middle_name, weights.middle_name_weight),
        ('suffix', weights.suffix, weights.suffix_weight),
        ('birth_date', weights.birth_date, weights.birth_date_weight),
        ('gender', weights.gender, weights.gender_weight),
        ('ssn', weights.ssn, weights.ssn_weight),
        ('address', weights.address, weights.address_weight),
        ('state_id', weights.state_id, weights.state_id_weight)
    ) as levels (comparison, level, weight)
where levels.level is not null
