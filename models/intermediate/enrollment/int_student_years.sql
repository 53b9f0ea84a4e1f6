with

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

students as (

    select * from {{ ref('int_students_accepted') }}

),

-- School and grade come from the last spell that is not a no-show.
last_spells as (

    select distinct on (district_id, district_student_id, school_year)
        district_id,
        district_student_id,
        school_year,
        school_code,
        grade,
        exit_code
    from spells
    where not is_no_show
    order by district_id, district_student_id, school_year, spell_number desc

),

student_years as (

    select
        last_spells.district_id,
        last_spells.district_student_id,
        last_spells.school_year,
        last_spells.school_code,
        last_spells.grade,
        last_spells.exit_code,
        students.gender,
        students.race,
        students.is_english_learner,
        students.special_education,
        students.primary_disability,
        students.economic_status,
        students.is_homeless
    from last_spells
    left join students using (district_id, district_student_id, school_year)

)

select * from student_years
