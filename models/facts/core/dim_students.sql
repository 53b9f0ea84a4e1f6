with

codes as (

    select * from {{ ref('codes') }}

),

students as (

    select * from {{ ref('int_students_accepted') }}
    where last_name is not null

),

student_years as (

    select * from {{ ref('int_student_years') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

newest as (

    select distinct on (district_id, district_student_id) *
    from students
    order by district_id, district_student_id, school_year desc

),

district_students as (

    select
        {{ student_key('newest') }} as student_key,
        newest.district_id,
        newest.district_student_id,
        student_persons.person_id,
        newest.state_student_id,
        newest.last_name,
        newest.first_name,
        newest.middle_name,
        newest.suffix,
        newest.birth_date,
        newest.gender,
        newest.race,
        races.label as race_label,
        newest.is_english_learner,
        newest.special_education,
        newest.primary_disability,
        newest.economic_status,
        coalesce(student_years.is_homeless, newest.is_homeless) as is_homeless,
        newest.home_language,
        newest.homeroom,
        newest.school_year as last_school_year
    from newest
    left join student_persons using (district_id, district_student_id)
    left join student_years using (district_id, district_student_id, school_year)
    left join codes as races
        on races.domain = 'race' and cast(newest.race as text) = races.code

)

select * from district_students
