{{ config(materialized='view') }}

with

thresholds as (

    select
        max(value) filter (where setting = 'link_weight') as link_weight,
        max(value) filter (where setting = 'student_link_weight')
            as student_link_weight,
        max(value) filter (where setting = 'review_weight') as review_weight,
        max(value) filter (where setting = 'held_weight') as held_weight,
        max(value) filter (where setting = 'pooling_weight') as pooling_weight,
        max(value) filter (where setting = 'near_tie_margin') as near_tie_margin,
        max(value) filter (where setting = 'namesake_weight') as namesake_weight,
        max(value) filter (where setting = 'close_birth_date_days')
            as close_birth_date_days,
        max(value) filter (where setting = 'most_people_per_number')
            as most_people_per_number,
        max(value) filter (where setting = 'most_numbers_per_student')
            as most_numbers_per_student
    from {{ ref('match_thresholds') }}

),

rules as (

    select
        bool_or(rule = 'different_first_name') is true as different_first_name,
        bool_or(rule = 'different_suffix') is true as different_suffix,
        bool_or(rule = 'different_birth_date') is true as different_birth_date,
        bool_or(rule = 'contradicted_first_name') is true as contradicted_first_name,
        bool_or(rule = 'unknown_name_or_birth_date') is true
            as unknown_name_or_birth_date,
        bool_or(rule = 'namesake_elsewhere') is true as namesake_elsewhere,
        bool_or(rule = 'near_tie') is true as near_tie,
        bool_or(rule = 'other_namesake') is true as other_namesake,
        bool_or(rule = 'too_many_numbers') is true as too_many_numbers
    from {{ ref('match_rules') }}

),

policy as (

    select
        thresholds.*,
        rules.*
    from thresholds
    cross join rules

)

select * from policy
