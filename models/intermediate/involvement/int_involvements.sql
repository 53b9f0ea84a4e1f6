with

services as (

    select * from {{ ref('stg_services') }}

),

person_crosswalk as (

    select * from {{ ref('person_crosswalk') }}

),

-- Only links count, not pairs in clerical review.
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
    where
        person_crosswalk.record_type = 'client'
        and person_crosswalk.decision = 'link'

)

select * from involvements
