with

students as (

    select * from {{ ref('int_students_accepted') }}

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

codes as (

    select * from {{ ref('codes') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

newest_rows as (

    select distinct on (district_id, district_student_id) *
    from students
    order by district_id, district_student_id, school_year desc

),

student_attributes as (

    select
        persons.student_key,
        persons.district_id,
        newest_rows.gender,
        races.label as race,
        cast(
            extract(year from age(as_of.as_of_date, newest_rows.birth_date)) as integer
        ) as age
    from persons
    cross join as_of
    left join newest_rows using (district_id, district_student_id)
    left join codes as races
        on races.domain = 'race' and cast(newest_rows.race as text) = races.code

),

identity_groups as (

    select
        student_attributes.student_key,
        groups.group_type,
        coalesce(groups.group_value, 'unknown') as group_value
    from student_attributes
    cross join
        lateral (
            values
            ('all', 'all'),
            ('district', student_attributes.district_id),
            ('gender', student_attributes.gender),
            ('race', student_attributes.race),
            (
                'age_band',
                -- Up to elementary school, middle school, high school, older.
                case
                    when student_attributes.age < 11 then '0-10'
                    when student_attributes.age < 14 then '11-13'
                    when student_attributes.age < 19 then '14-18'
                    when student_attributes.age >= 19 then '19+'
                end
            )
        ) as groups (group_type, group_value)

)

select * from identity_groups
