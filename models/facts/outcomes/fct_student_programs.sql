with

programs as (

    select * from {{ ref('int_programs_accepted') }}

),

school_programs as (

    select * from {{ ref('school_programs') }}

),

codes as (

    select * from {{ ref('codes') }}
    where domain = 'school_program'

),

student_years as (

    select * from {{ ref('int_student_years') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

-- Of several participations in a year, one that lasts leaves the end open.
participations as (

    select
        district_id,
        district_student_id,
        school_year,
        program,
        min(start_date) as started_on,
        nullif(max(coalesce(end_date, 'infinity')), 'infinity') as ended_on
    from programs
    where program is not null
    group by district_id, district_student_id, school_year, program

),

student_programs as (

    select
        {{ student_key('participations') }} as student_key,
        student_persons.person_id,
        participations.district_id,
        participations.district_student_id,
        participations.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        participations.program,
        codes.label as program_label,
        school_programs.is_homelessness,
        participations.started_on,
        participations.ended_on
    from participations
    inner join student_years using (district_id, district_student_id, school_year)
    inner join student_persons using (district_id, district_student_id)
    inner join school_programs using (program)
    left join codes on participations.program = codes.code
    left join district_years using (district_id, school_year)

)

select * from student_programs
