with

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

students as (

    select * from {{ ref('int_students_accepted') }}

),

feeds_delivered as (

    select * from {{ ref('int_feeds_delivered') }}

),

programs as (

    select * from {{ ref('int_programs_accepted') }}

),

school_programs as (

    select * from {{ ref('school_programs') }}

),

-- Some districts report homelessness as a program: who has no such row is not homeless.
years_with_programs as (

    select
        partner_id as district_id,
        school_year
    from feeds_delivered
    where feed = 'programs'

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
            case when years_with_programs.school_year is not null then false end
        ) as is_homeless,
        students.graduation_status,
        students.post_school_plan
    from last_spells
    left join students using (district_id, district_student_id, school_year)
    left join homeless_students using (district_id, district_student_id, school_year)
    left join years_with_programs using (district_id, school_year)

)

select * from student_years
