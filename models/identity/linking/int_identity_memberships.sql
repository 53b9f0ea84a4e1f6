with

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

student_versions as (

    select * from {{ ref('int_student_versions') }}

),

match_rules as (

    select * from {{ ref('match_rules') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- An open spell ends with its school year or on the as-of date, whichever is first.
enrolled as (

    select
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
    where not spells.is_no_show

),

-- Students without enrollments: the days between the deliveries of a roster row.
on_roster as (

    select
        student_versions.district_id,
        {{ student_key('student_versions') }} as student_key,
        student_versions.first_as_of_date as first_date,
        student_versions.last_as_of_date as last_date
    from student_versions
    left join spells using (district_id, district_student_id)
    where spells.district_student_id is null

),

listed as (

    select * from enrolled
    union all
    select * from on_roster

),

-- Without the rule side_by_side the table is empty.
memberships as (

    select
        listed.district_id,
        listed.student_key,
        range_agg(daterange(listed.first_date, listed.last_date, '[]')) as listed_days
    from listed
    inner join match_rules on match_rules.rule = 'side_by_side'
    where listed.first_date <= listed.last_date
    group by listed.district_id, listed.student_key

)

select * from memberships
