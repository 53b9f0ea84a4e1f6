with

crosswalk_services as (

    select * from {{ ref('int_crosswalk_services') }}

),

service_versions as (

    select * from {{ ref('int_service_versions') }}

),

newest_versions as (

    select distinct on (source_id, source_service_id) service_versions.*
    from crosswalk_services
    inner join service_versions using (source_id, source_service_id)
    order by
        source_id,
        source_service_id,
        {{ newest_service_version('service_versions') }}

),

newest_services as (

    select
        source_id,
        source_service_id,
        source_id || ':' || source_client_id as record_id,
        program_code,
        program_group,
        started_on,
        ended_on
    from newest_versions
    where not is_deleted

)

select * from newest_services
