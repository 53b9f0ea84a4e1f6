/*
What it checks: every level found by a comparison has a row in `match_weights`, and a
label for reviewers in `match_levels`.
When it matters: always; evidence without a weight would silently not count.
How to resolve it: write the model's seeds again with `outcomes link train`; a new level
also needs its label in `match_levels`.
*/
{{ config(group='linking') }}

with

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}

),

match_weights as (

    select * from {{ ref('match_weights') }}

),

match_levels as (

    select * from {{ ref('match_levels') }}

),

levels as (

    select distinct
        level.comparison,
        level.level
    from comparisons
    cross join
        lateral (
            values
            ('last_name', comparisons.last_name),
            ('first_name', comparisons.first_name),
            ('middle_name', comparisons.middle_name),
            ('suffix', comparisons.suffix),
            ('birth_date', comparisons.birth_date),
            ('gender', comparisons.gender),
            ('ssn', comparisons.ssn),
            ('address', comparisons.address),
            ('state_id', comparisons.state_id)
        ) as level (comparison, level)
    where level.level is not null

)

select
    levels.comparison,
    levels.level
from levels
left join match_weights
    on
        levels.comparison = match_weights.comparison
        and levels.level = match_weights.level
left join match_levels
    on
        levels.comparison = match_levels.comparison
        and levels.level = match_levels.level
where match_weights.level is null or match_levels.level is null
