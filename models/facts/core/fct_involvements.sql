with

involvements as (

    select * from {{ ref('int_involvements') }}

),

program_groups as (

    select * from {{ ref('program_groups') }}

),

labeled as (

    select
        involvements.person_id,
        involvements.source_id,
        involvements.source_service_id,
        involvements.program_code,
        involvements.program_group,
        program_groups.program_group_label,
        involvements.started_on,
        involvements.ended_on
    from involvements
    left join program_groups using (program_group)

)

select * from labeled
