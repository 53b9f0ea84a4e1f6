with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

students as (

    select * from {{ ref('dim_students') }}

),

enrollments as (

    select * from {{ ref('fct_enrollments') }}

),

school_years as (

    select
        person_id,
        district_id,
        school_year,
        string_agg(distinct school_key, ' ' order by school_key) as schools
    from enrollments
    group by person_id, district_id, school_year

),

-- Whom a district knows by two ids is one person; the id with most days speaks.
person_years as (

    select distinct on (person_id, district_id, school_year) *
    from student_years
    order by
        person_id, district_id, school_year, days_enrolled desc nulls last, student_key

),

quasi_identifiers as (

    select
        person_years.person_id,
        person_years.district_id,
        person_years.school_year,
        school_years.schools,
        cast(extract(year from students.birth_date) as smallint) as birth_year,
        person_years.special_education,
        person_years.race,
        person_years.is_english_learner,
        person_years.economic_status,
        person_years.gender,
        person_years.grade
    from person_years
    left join students on person_years.student_key = students.student_key
    left join school_years
        on
            person_years.person_id = school_years.person_id
            and person_years.district_id = school_years.district_id
            and person_years.school_year = school_years.school_year

)

select * from quasi_identifiers
