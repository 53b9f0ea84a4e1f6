with

program_groups as (

    select * from {{ ref('program_groups') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

involvements as (

    select * from {{ ref('int_student_year_involvements') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

student_year_involvements as (

    select
        {{ student_key('involvements') }} as student_key,
        student_persons.person_id,
        involvements.district_id,
        involvements.district_student_id,
        involvements.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        involvements.program_group,
        program_groups.program_group_label,
        involvements.involved_ever,
        involvements.involved_prior_year,
        involvements.involved_concurrent
    from involvements
    left join student_persons using (district_id, district_student_id)
    left join district_years using (district_id, school_year)
    left join program_groups using (program_group)

)

select * from student_year_involvements
