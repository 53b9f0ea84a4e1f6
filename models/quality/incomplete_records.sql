with

student_mentions as (

    select * from {{ ref('stg_student_mentions') }}

),

enrollments as (

    select * from {{ ref('stg_enrollments') }}

),

enrollment_codes as (

    select * from {{ ref('enrollment_codes') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

calendar_days as (

    select * from {{ ref('stg_calendar_days') }}

),

attendance_totals as (

    select * from {{ ref('stg_attendance_totals') }}

),

services_without_client as (

    select * from {{ ref('stg_services_without_client') }}

),

intervention_rosters as (

    select * from {{ ref('stg_intervention_rosters') }}

),

student_ids as (

    select * from {{ ref('stg_student_ids') }}

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

-- A file may fill several feeds, so the same row can appear in each.
not_on_roster as (

    select
        'not_on_roster' as reason_code,
        district_id as partner_id,
        contract_object,
        school_year,
        student_id as record_id,
        max(as_of_date) as as_of_date,
        max(rows_affected) as rows_affected,
        null as missing_from
    from student_mentions
    where district_student_id is null
    group by district_id, contract_object, school_year, student_id

),

-- Test results need no enrollment. If a year has no enrollments at all, a file is
-- missing; the scorecard reports that.
not_enrolled as (

    select
        'not_enrolled' as reason_code,
        student_mentions.district_id as partner_id,
        student_mentions.contract_object,
        student_mentions.school_year,
        student_mentions.student_id as record_id,
        max(student_mentions.as_of_date) as as_of_date,
        max(student_mentions.rows_affected) as rows_affected,
        null as missing_from
    from student_mentions
    inner join years_with_enrollments
        on
            student_mentions.district_id = years_with_enrollments.district_id
            and student_mentions.school_year = years_with_enrollments.school_year
    left join enrolled
        on
            student_mentions.district_id = enrolled.district_id
            and student_mentions.district_student_id = enrolled.district_student_id
            and student_mentions.school_year = enrolled.school_year
    where
        student_mentions.district_student_id is not null
        and student_mentions.feed <> 'assessments'
        and enrolled.district_student_id is null
    group by
        student_mentions.district_id,
        student_mentions.contract_object,
        student_mentions.school_year,
        student_mentions.student_id

),

enrollment_files as (

    select
        district_id,
        contract_object,
        school_year,
        district_student_id,
        student_id,
        as_of_date
    from student_mentions
    where feed = 'enrollments'

),

current_spells as (

    select
        enrollment_files.*,
        spells.school_code
    from enrollment_files
    inner join spells
        on
            enrollment_files.district_id = spells.district_id
            and enrollment_files.district_student_id = spells.district_student_id
            and enrollment_files.school_year = spells.school_year
    where
        not spells.is_no_show
        and enrollment_files.as_of_date
        between spells.entry_date and coalesce(spells.exit_date, 'infinity')

),

rosters as (

    select distinct
        district_id,
        school_year,
        contract_object
    from student_mentions
    where feed = 'students'

),

-- A roster of active students lists those enrolled on its day only.
missing_from_a_roster as (

    select
        'not_on_every_roster' as reason_code,
        current_spells.district_id as partner_id,
        current_spells.contract_object,
        current_spells.school_year,
        current_spells.student_id as record_id,
        max(current_spells.as_of_date) as as_of_date,
        count(*) as rows_affected,
        rosters.contract_object as missing_from
    from current_spells
    inner join rosters
        on
            current_spells.district_id = rosters.district_id
            and current_spells.school_year = rosters.school_year
    left join student_mentions as listings
        on
            listings.feed = 'students'
            and rosters.district_id = listings.district_id
            and rosters.school_year = listings.school_year
            and rosters.contract_object = listings.contract_object
            and current_spells.district_student_id = listings.district_student_id
    where listings.student_id is null
    group by
        current_spells.district_id,
        current_spells.contract_object,
        current_spells.school_year,
        current_spells.student_id,
        rosters.contract_object

),

-- An exit before July 1 belongs to the year before.
exits_without_entry as (

    select
        'exit_without_entry' as reason_code,
        enrollment_files.district_id as partner_id,
        enrollment_files.contract_object,
        enrollment_files.school_year,
        enrollment_files.student_id as record_id,
        max(enrollment_files.as_of_date) as as_of_date,
        count(*) as rows_affected,
        null as missing_from
    from enrollments
    inner join enrollment_codes on enrollments.activity_code = enrollment_codes.code
    inner join enrollment_files
        on
            enrollments.district_id = enrollment_files.district_id
            and enrollments.district_student_id = enrollment_files.district_student_id
            and enrollments.school_year = enrollment_files.school_year
    left join spells
        on
            enrollments.district_id = spells.district_id
            and enrollments.district_student_id = spells.district_student_id
            and enrollments.school_year = spells.school_year
            and enrollments.school_code = spells.school_code
            and enrollments.activity_date = spells.exit_date
    where
        enrollment_codes.kind = 'exit'
        and enrollments.activity_date >= make_date(enrollments.school_year - 1, 7, 1)
        and spells.district_student_id is null
    group by
        enrollment_files.district_id,
        enrollment_files.contract_object,
        enrollment_files.school_year,
        enrollment_files.student_id

),

school_calendars as (

    select distinct
        district_id,
        school_year,
        school_code
    from calendar_days

),

years_with_calendars as (

    select distinct
        district_id,
        school_year
    from school_calendars

),

-- Districts that report monthly totals send no calendar.
schools_without_calendar as (

    select distinct
        spells.district_id,
        spells.school_year,
        spells.school_code
    from spells
    inner join years_with_calendars
        on
            spells.district_id = years_with_calendars.district_id
            and spells.school_year = years_with_calendars.school_year
    left join school_calendars
        on
            spells.district_id = school_calendars.district_id
            and spells.school_year = school_calendars.school_year
            and spells.school_code = school_calendars.school_code
    where
        not spells.is_no_show
        and school_calendars.school_code is null

),

enrolled_without_calendar as (

    select
        'school_without_calendar' as reason_code,
        enrollment_files.district_id as partner_id,
        enrollment_files.contract_object,
        enrollment_files.school_year,
        enrollment_files.student_id as record_id,
        max(enrollment_files.as_of_date) as as_of_date,
        count(*) as rows_affected,
        null as missing_from
    from enrollment_files
    inner join spells
        on
            enrollment_files.district_id = spells.district_id
            and enrollment_files.district_student_id = spells.district_student_id
            and enrollment_files.school_year = spells.school_year
    inner join schools_without_calendar
        on
            spells.district_id = schools_without_calendar.district_id
            and spells.school_year = schools_without_calendar.school_year
            and spells.school_code = schools_without_calendar.school_code
    where not spells.is_no_show
    group by
        enrollment_files.district_id,
        enrollment_files.contract_object,
        enrollment_files.school_year,
        enrollment_files.student_id

),

impossible_months as (

    select
        'absent_longer_than_enrolled' as reason_code,
        attendance_totals.district_id as partner_id,
        student_mentions.contract_object,
        attendance_totals.school_year,
        student_mentions.student_id as record_id,
        max(student_mentions.as_of_date) as as_of_date,
        count(*) as rows_affected,
        null as missing_from
    from attendance_totals
    inner join student_mentions
        on
            student_mentions.feed = 'attendance_totals'
            and attendance_totals.district_id = student_mentions.district_id
            and attendance_totals.district_student_id
            = student_mentions.district_student_id
            and attendance_totals.school_year = student_mentions.school_year
    where not attendance_totals.is_possible
    group by
        attendance_totals.district_id,
        student_mentions.contract_object,
        attendance_totals.school_year,
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

    select * from not_on_roster
    union all
    select * from not_enrolled
    union all
    select * from missing_from_a_roster
    union all
    select * from exits_without_entry
    union all
    select * from enrolled_without_calendar
    union all
    select * from impossible_months
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
    left join reasons on incomplete.reason_code = reasons.reason_code
    left join files_of_feeds
        on
            incomplete.partner_id = files_of_feeds.partner_id
            and reasons.missing_feed = files_of_feeds.feed

)

select * from incomplete_records
