with

student_mentions as (

    select * from {{ ref('int_student_mentions') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

incomplete_enrollments as (

    select * from {{ ref('int_incomplete_enrollments') }}

),

contradicting_days as (

    select * from {{ ref('int_contradicting_days') }}

),

contradicting_listings as (

    select * from {{ ref('int_contradicting_listings') }}

),

services_without_client as (

    select * from {{ ref('int_services_without_client') }}

),

intervention_rosters as (

    select * from {{ ref('int_intervention_rosters_accepted') }}

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

contract_feeds as (

    select * from {{ ref('stg_contract_feeds') }}

),

reasons as (

    select * from {{ ref('incomplete_reasons') }}

),

enrolled as (

    select distinct
        district_id,
        district_student_id,
        school_year
    from spells

),

years_with_enrollments as (

    select distinct
        district_id,
        school_year
    from spells

),

-- A file may fill several feeds, so the same row can appear in each. Test results need
-- no enrollment. If a year has no enrollments at all, a file is missing; the scorecard
-- reports that.
students_without_record as (

    select
        case
            when student_mentions.district_student_id is null then 'not_on_roster'
            else 'not_enrolled'
        end as reason_code,
        student_mentions.district_id as partner_id,
        student_mentions.contract_object,
        student_mentions.school_year,
        student_mentions.student_id as record_id,
        max(student_mentions.as_of_date) as as_of_date,
        max(student_mentions.rows_affected) as rows_affected,
        null as missing_from
    from student_mentions
    left join years_with_enrollments as years using (district_id, school_year)
    left join enrolled using (district_id, district_student_id, school_year)
    where
        student_mentions.district_student_id is null
        or (
            student_mentions.feed <> 'assessments'
            and years.school_year is not null
            and enrolled.school_year is null
        )
    group by
        student_mentions.district_student_id is null,
        student_mentions.district_id,
        student_mentions.contract_object,
        student_mentions.school_year,
        student_mentions.student_id

),

clients_without_record as (

    select
        'no_client_record' as reason_code,
        partner_id,
        contract_object,
        cast(null as integer) as school_year,
        source_id || ':' || source_client_id as record_id,
        as_of_date,
        rows_affected,
        null as missing_from
    from services_without_client

),

unknown_participants as (

    select
        case
            when intervention_rosters.is_partner_district then 'not_on_roster'
            else 'unknown_district'
        end as reason_code,
        intervention_rosters.partner_id,
        intervention_rosters.contract_object,
        cast(null as integer) as school_year,
        intervention_rosters.district_id || ':'
        || intervention_rosters.district_student_id as record_id,
        max(intervention_rosters.as_of_date) as as_of_date,
        count(*) as rows_affected,
        null as missing_from
    from intervention_rosters
    left join student_ids
        on
            intervention_rosters.district_id = student_ids.district_id
            and intervention_rosters.district_student_id = student_ids.student_id
            and not student_ids.is_state_id
    where student_ids.student_id is null
    group by
        intervention_rosters.is_partner_district,
        intervention_rosters.partner_id,
        intervention_rosters.contract_object,
        intervention_rosters.district_id,
        intervention_rosters.district_student_id

),

incomplete as (

    select * from students_without_record
    union all
    select * from incomplete_enrollments
    union all
    select * from contradicting_days
    union all
    select * from contradicting_listings
    union all
    select * from clients_without_record
    union all
    select * from unknown_participants

),

files_of_feeds as (

    select
        partner_id,
        feed,
        string_agg(contract_object, ', ' order by contract_object) as contract_objects
    from contract_feeds
    group by partner_id, feed

),

incomplete_records as (

    select
        incomplete.partner_id,
        incomplete.contract_object,
        incomplete.school_year,
        incomplete.record_id,
        incomplete.reason_code,
        coalesce(incomplete.missing_from, files_of_feeds.contract_objects)
            as missing_from,
        incomplete.as_of_date,
        cast(incomplete.rows_affected as bigint) as rows_affected,
        reasons.meaning,
        reasons.left_out_of,
        reasons.what_to_do
    from incomplete
    left join reasons using (reason_code)
    left join files_of_feeds
        on
            incomplete.partner_id = files_of_feeds.partner_id
            and reasons.missing_feed = files_of_feeds.feed

)

select * from incomplete_records
