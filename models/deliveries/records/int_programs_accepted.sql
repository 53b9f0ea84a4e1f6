with

programs as (

    select * from {{ ref('stg_programs') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'programs'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

current_programs as (

    select
        programs.partner_id as district_id,
        student_ids.district_student_id,
        snapshots.school_year,
        programs.program,
        programs.start_date,
        programs.end_date
    from programs
    inner join snapshots on programs.load_id = snapshots.load_id
    {{ join_student_ids('programs') }}

)

select * from current_programs
