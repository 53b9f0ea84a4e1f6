/*
What it checks: every student of any delivery and every client record has its one row in
the crosswalk, and the crosswalk has no others.
When it matters: always; a lost record is a child whose services nobody sees.
How to resolve it: `dbt build --full-refresh` makes the crosswalk anew. If the record is
there then, a pass lost it: find the step between `stg_changed_clients` and
`int_identity_recrossed` that did.
*/
with

students as (

    select distinct
        district_id,
        district_student_id
    from {{ ref('stg_student_versions') }}

),

delivered as (

    select
        'student' as record_type,
        district_id as partner_id,
        district_student_id as record_id
    from students

    union all

    select
        'client' as record_type,
        'dhs' as partner_id,
        source_id || ':' || source_client_id as record_id
    from {{ ref('stg_clients') }}

),

crosswalk as (

    select * from {{ ref('person_crosswalk') }}

),

-- Neither side repeats a record, which is tested by itself. So where as many have the
-- same sum of hashes, they are the same. Joining 15 million takes five times as long.
delivered_sums as (

    select
        record_type,
        partner_id,
        count(*) as records,
        sum(cast(hashtextextended(record_id, 0) as numeric)) as sum_of_hashes
    from delivered
    group by record_type, partner_id

),

crosswalk_sums as (

    select
        record_type,
        partner_id,
        count(*) as records,
        sum(cast(hashtextextended(record_id, 0) as numeric)) as sum_of_hashes
    from crosswalk
    group by record_type, partner_id

)

select
    coalesce(delivered_sums.record_type, crosswalk_sums.record_type) as record_type,
    coalesce(delivered_sums.partner_id, crosswalk_sums.partner_id) as partner_id,
    delivered_sums.records as delivered_records,
    crosswalk_sums.records as crosswalk_records
from delivered_sums
full outer join crosswalk_sums
    on
        delivered_sums.record_type = crosswalk_sums.record_type
        and delivered_sums.partner_id = crosswalk_sums.partner_id
where
    delivered_sums.records is distinct from crosswalk_sums.records
    or delivered_sums.sum_of_hashes is distinct from crosswalk_sums.sum_of_hashes
