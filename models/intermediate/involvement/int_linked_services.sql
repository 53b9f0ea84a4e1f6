with

service_versions as (

    select * from {{ ref('int_service_versions') }}

),

-- Only links count, not pairs in clerical review.
linked_clients as (

    select * from {{ ref('person_crosswalk') }}
    where record_type = 'client' and decision = 'link'

),

linked_services as (

    select distinct
        service_versions.source_id,
        service_versions.source_service_id
    from service_versions
    inner join linked_clients
        on
            service_versions.source_id || ':' || service_versions.source_client_id
            = linked_clients.record_id

)

select * from linked_services
