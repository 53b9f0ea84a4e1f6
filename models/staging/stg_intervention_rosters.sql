with

intervention_rosters as (

    select * from {{ source('raw', 'intervention_rosters') }}

),

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

participants as (

    select
        intervention_rosters.intervention_code,
        intervention_rosters.intervention_name,
        intervention_rosters.district_id,
        intervention_rosters.district_student_id,
        intervention_rosters.started_on,
        intervention_rosters.ended_on
    from intervention_rosters
    inner join snapshots on intervention_rosters.load_id = snapshots.load_id

)

select * from participants
