with

students as (

    select * from {{ ref('stg_students') }}

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

codes as (

    select * from {{ ref('codes') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

newest as (

    select distinct on (district_id, district_student_id) *
    from students
    order by district_id, district_student_id, school_year desc

),

described as (

    select
        persons.student_key,
        persons.district_id,
        newest.gender,
        races.label as race,
        cast(
            extract(year from age(as_of.as_of_date, newest.birth_date)) as integer
        ) as age
    from persons
    cross join as_of
    left join newest
        on
            persons.district_id = newest.district_id
            and persons.district_student_id = newest.district_student_id
    left join codes as races
        on races.domain = 'race' and cast(newest.race as text) = races.code

),

identity_groups as (

    select
        described.student_key,
        member.group_type,
        coalesce(member.group_value, 'unknown') as group_value
    from described
    cross join
        lateral (
            values
            ('all', 'all'),
            ('district', described.district_id),
            ('gender', described.gender),
            ('race', described.race),
            (
                'age_band',
                -- Pre-school and elementary, middle, high school and after.
                case
                    when described.age < 11 then '0-10'
                    when described.age < 14 then '11-13'
                    when described.age < 19 then '14-18'
                    when described.age >= 19 then '19+'
                end
            )
        ) as member (group_type, group_value)

)

select * from identity_groups
