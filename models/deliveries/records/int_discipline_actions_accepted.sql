with

discipline_actions as (

    select * from {{ ref('stg_discipline_actions') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'discipline_actions'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

current_actions as (

    select
        discipline_actions.partner_id as district_id,
        student_ids.district_student_id,
        snapshots.school_year,
        discipline_actions.incident_date,
        discipline_actions.action,
        discipline_actions.days
    from discipline_actions
    inner join snapshots on discipline_actions.load_id = snapshots.load_id
    {{ join_student_ids('discipline_actions') }}

)

select * from current_actions
