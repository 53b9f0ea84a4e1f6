with

discipline_actions as (

    select * from {{ source('raw', 'discipline_actions') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'discipline_actions'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

decoded as (

    select
        discipline_actions.partner_id as district_id,
        student_ids.district_student_id,
        snapshots.school_year,
        discipline_actions.incident_date,
        actions.code as action,
        discipline_actions.days
    from discipline_actions
    inner join snapshots on discipline_actions.load_id = snapshots.load_id
    {{ join_student_ids('discipline_actions') }}
    {{ join_meaning('actions', 'discipline_action', 'discipline_actions', 'action') }}

)

select * from decoded
