with

services as (

    select * from {{ ref('int_newest_services') }}

),

linked_clients as (

    select * from {{ ref('person_crosswalk') }}
    where record_type = 'client' and decision = 'link'

),

involvements as (

    select
        linked_clients.person_id,
        services.source_id,
        services.source_service_id,
        services.program_code,
        services.program_group,
        services.started_on,
        services.ended_on
    from services
    inner join linked_clients using (record_id)

)

select * from involvements
