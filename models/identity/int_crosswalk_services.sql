with

service_versions as (

    select * from {{ ref('int_service_versions') }}

),

clients as (

    select * from {{ ref('person_crosswalk') }}
    where record_type = 'client'

),

crosswalk_services as (

    select distinct
        service_versions.source_id,
        service_versions.source_service_id
    from service_versions
    inner join clients
        on
            service_versions.source_id || ':' || service_versions.source_client_id
            = clients.record_id

)

select * from crosswalk_services
