/*
What it checks: every student of any delivery and every client record has its one row in
the crosswalk, and the crosswalk has no others.
When it matters: always; a lost record is a child whose services nobody sees.
How to resolve it: `dbt build --full-refresh` makes the crosswalk anew. If the record is
there then, a pass lost it: find the step between `stg_changed_clients` and
`int_identity_recrossed` that did.
*/
with

delivered as (

    select
        'student' as record_type,
        district_id as partner_id,
        district_student_id as record_id
    from {{ ref('stg_student_versions') }}

    union

    select
        'client' as record_type,
        'dhs' as partner_id,
        source_id || ':' || source_client_id as record_id
    from {{ ref('stg_clients') }}

),

crosswalk as (

    select
        record_type,
        partner_id,
        record_id
    from {{ ref('person_crosswalk') }}

)

select
    coalesce(delivered.record_type, crosswalk.record_type) as record_type,
    coalesce(delivered.partner_id, crosswalk.partner_id) as partner_id,
    count(*) as records
from delivered
full outer join crosswalk
    on
        delivered.record_type = crosswalk.record_type
        and delivered.partner_id = crosswalk.partner_id
        and delivered.record_id = crosswalk.record_id
where delivered.record_id is null or crosswalk.record_id is null
group by 1, 2
