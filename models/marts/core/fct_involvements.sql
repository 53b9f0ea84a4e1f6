with

involvements as (

    select
        person_id,
        source_id,
        source_service_id,
        program_code,
        program_group,
        started_on,
        ended_on
    from {{ ref('int_involvements') }}

)

select * from involvements
