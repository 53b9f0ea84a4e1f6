with

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

students as (

    select * from {{ ref('int_students_accepted') }}

),

programs as (

    select * from {{ ref('int_programs_accepted') }}

),

school_programs as (

    select * from {{ ref('school_programs') }}

),

homeless_students as (

    select distinct
        programs.district_id,
        programs.district_student_id,
        programs.school_year,
        true as is_homeless
    from programs
    inner join school_programs using (program)
    where school_programs.is_homelessness

),

-- A district that reports homelessness as a program says by that who is not homeless.
-- One that sends other programs only does not: its agreement may leave these out.
years_with_homelessness as (

    select distinct
        district_id,
        school_year
    from homeless_students

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
        coalesce(
            homeless_students.is_homeless,
            students.is_homeless,
            case when years_with_homelessness.school_year is not null then false end
        ) as is_homeless,
        students.graduation_status,
        students.post_school_plan
    from last_spells
    left join students using (district_id, district_student_id, school_year)
    left join homeless_students using (district_id, district_student_id, school_year)
    left join years_with_homelessness using (district_id, school_year)

)

select * from student_years
