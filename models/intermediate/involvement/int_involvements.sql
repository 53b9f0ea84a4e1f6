with

linked_services as (

    select * from {{ ref('int_linked_services') }}

),

service_versions as (

    select * from {{ ref('int_service_versions') }}

),

person_crosswalk as (

    select * from {{ ref('person_crosswalk') }}
    where record_type = 'client' and decision = 'link'

),

services as (

    select distinct on (source_id, source_service_id) service_versions.*
    from linked_services
    inner join service_versions using (source_id, source_service_id)
    order by
        source_id,
        source_service_id,
        {{ newest_service_version('service_versions') }}

),

-- The newest version of a service may be about a client who is not linked.
involvements as (

    select
        person_crosswalk.person_id,
        services.source_id,
        services.source_service_id,
        services.program_code,
        services.program_group,
        services.started_on,
        services.ended_on
    from services
    inner join person_crosswalk
        on
            services.source_id || ':' || services.source_client_id
            = person_crosswalk.record_id
    where not services.is_deleted

)

select * from involvements
