{%- set counts = [
    'n_involved', 'n_not_involved', 'total_involved', 'total_not_involved', 'n_left_out',
] %}

with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

),

public_school_years as (

    select * from {{ ref('int_public_school_years') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

pseudonym_key as (

    select * from {{ ref('stg_pseudonym_key') }}

),

unreleased as (

    select
        gaps.*,
        public_school_years.revision,
        -- The measure with the most students tells how many the district has.
        max(gaps.n_involved + gaps.n_not_involved) over (
            partition by gaps.school_year, gaps.district_id
        ) as district_students
    from gaps
    inner join public_school_years using (school_year)
    where not public_school_years.is_released

),

districts as (

    select distinct
        school_year,
        district_id,
        district_students
    from unreleased
    where district_id <> 'all'

),

-- Whoever has the rows of `all` and of large districts can subtract: what is left is a
-- row of the districts without one.
remainders as (

    select
        districts.school_year,
        sum(districts.district_students) as remaining_students
    from districts
    cross join suppression
    where districts.district_students < suppression.cross_table_students
    group by districts.school_year

),

-- Groups exist for any program only.
allowed as (

    select unreleased.*
    from unreleased
    cross join suppression
    left join remainders using (school_year)
    where
        (unreleased.group_type = 'all' and unreleased.program_group = 'any')
        or (
            (unreleased.group_type = 'all' or unreleased.program_group = 'any')
            and unreleased.district_students >= suppression.cross_table_students
            and (
                unreleased.district_id = 'all'
                or unreleased.group_type = 'school'
                or remainders.remaining_students is null
                or remainders.remaining_students >= suppression.cross_table_students
            )
        )

),

-- The same students get the same cell key in every row of a release. The value of a
-- mean and an adjusted gap are no counts, so they have a key of their own.
keyed as (

    select
        allowed.*,
        allowed.n_involved + allowed.n_not_involved - allowed.n_adjusted as n_left_out,
        {% for count in counts %}
        {{ function('cell_key') }}(
            pseudonym_key.key,
            concat_ws(' ', allowed.school_year, allowed.revision, 'count'),
            allowed.{{ count }}_key
        ) as {{ count }}_cell_key,
        {% endfor %}
        {% for side in ['involved', 'not_involved'] %}
        {{ function('cell_key') }}(
            pseudonym_key.key,
            concat_ws(' ', allowed.school_year, allowed.revision, allowed.measure),
            allowed.n_{{ side }}_key
        ) as mean_{{ side }}_cell_key,
        {% endfor %}
        {{ function('cell_key') }}(
            pseudonym_key.key,
            concat_ws(
                ' ',
                allowed.school_year,
                allowed.revision,
                allowed.measure,
                allowed.n_left_out_key
            ),
            allowed.n_involved_key
        ) as adjusted_cell_key
    from allowed
    cross join pseudonym_key

)

select * from keyed
