/*
What it checks: every level that a comparison found has a row in `match_weights`.
When it matters: always; evidence without a weight would silently not count.
How to resolve it: add the level to the seed, or mend the name in
`int_identity_comparisons`.
*/
with

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}

),

match_weights as (

    select * from {{ ref('match_weights') }}

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
where match_weights.level is null
