/*
What it checks: the crosswalk has exactly one row per delivered student and per client
record that is linked or in clerical review, and no other rows.
When it matters: always; a lost record is a child whose services are not counted.
How to resolve it: build `int_identity_client_links+` again. If the rows still differ,
look for the join in `person_crosswalk` that loses or repeats them.
*/
{{ config(group='linking') }}

with

students as (

    select distinct
        district_id,
        district_student_id
    from {{ ref('int_student_versions') }}

),

records as (

    select * from {{ ref('int_identity_records') }}

),

client_links as (

    select * from {{ ref('int_identity_client_links') }}

),

crosswalk as (

    select * from {{ ref('person_crosswalk') }}

),

expected as (

    select
        'student' as record_type,
        district_id as partner_id,
        district_student_id as record_id
    from students

    union all

    select
        records.record_type,
        records.partner_id,
        records.record_id
    from records
    inner join client_links on records.identity_id = client_links.client_identity_id
    where client_links.decision in ('link', 'review')

)

select
    coalesce(expected.record_type, crosswalk.record_type) as record_type,
    coalesce(expected.partner_id, crosswalk.partner_id) as partner_id,
    count(expected.record_id) as expected_records,
    count(crosswalk.record_id) as crosswalk_records
from expected
full outer join crosswalk
    on
        expected.record_type = crosswalk.record_type
        and expected.partner_id = crosswalk.partner_id
        and expected.record_id = crosswalk.record_id
where expected.record_id is null or crosswalk.record_id is null
group by 1, 2
