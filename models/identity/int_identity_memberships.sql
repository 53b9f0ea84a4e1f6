with

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

match_rules as (

    select * from {{ ref('match_rules') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

-- An open spell lasts to the end of its school year, as far as that is known.
memberships as (

    select distinct
        spells.district_id,
        {{ student_key('spells') }} as student_key,
        spells.entry_date as first_date,
        coalesce(
            spells.exit_date,
            least(
                make_date(cast(spells.school_year as integer), 6, 30), as_of.as_of_date
            )
        ) as last_date
    from spells
    cross join as_of
    -- What lists say of two students counts as long as the rule is in force.
    inner join match_rules on match_rules.rule = 'side_by_side'
    where not spells.is_no_show

)

select * from memberships
