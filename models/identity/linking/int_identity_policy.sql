{{ config(materialized='view') }}

with

thresholds as (

    select
        max(value) filter (where setting = 'link_weight') as link_weight,
        max(value) filter (where setting = 'student_link_weight')
            as student_link_weight,
        max(value) filter (where setting = 'review_weight') as review_weight,
        max(value) filter (where setting = 'student_review_weight')
            as student_review_weight,
        max(value) filter (where setting = 'pooling_weight') as pooling_weight,
        max(value) filter (where setting = 'other_mci_weight') as other_mci_weight,
        max(value) filter (where setting = 'near_tie_margin') as near_tie_margin,
        max(value) filter (where setting = 'namesake_weight') as namesake_weight,
        max(value) filter (where setting = 'close_birth_date_days')
            as close_birth_date_days,
        max(value) filter (where setting = 'generation_years') as generation_years,
        max(value) filter (where setting = 'exemption_weight') as exemption_weight,
        max(value) filter (where setting = 'most_people_per_identifier')
            as most_people_per_identifier,
        max(value) filter (where setting = 'most_ssns_per_student')
            as most_ssns_per_student,
        max(value) filter (where setting = 'missed_share') as missed_share,
        max(value) filter (where setting = 'most_names_only') as most_names_only
    from {{ ref('match_thresholds') }}

),

rules as (

    select
        bool_or(rule = 'near_tie') is true as near_tie,
        bool_or(rule = 'other_namesake') is true as other_namesake,
        bool_or(rule = 'other_mci_id') is true as other_mci_id,
        bool_or(rule = 'too_many_ssns') is true as too_many_ssns
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
