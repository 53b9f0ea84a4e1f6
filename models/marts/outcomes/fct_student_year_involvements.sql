with

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
        involvements.program_group,
        involvements.involved_ever,
        involvements.involved_prior_year,
        involvements.involved_concurrent
    from involvements
    left join student_persons
        on
            involvements.district_id = student_persons.district_id
            and involvements.district_student_id = student_persons.district_student_id

)

select * from student_year_involvements
