with

student_mentions as (

    select * from {{ ref('int_student_mentions') }}

),

enrollments as (

    select * from {{ ref('int_enrollments_accepted') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

calendar_days as (

    select * from {{ ref('int_calendar_days_accepted') }}

),

attendance_totals as (

    select * from {{ ref('int_attendance_totals_accepted') }}

),

enrollment_files as (

    select * from student_mentions
    where feed = 'enrollments'

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
        enrollment_files.*,
        'not_on_every_roster' as reason_code,
        rosters.contract_object as missing_from
    from enrollment_files
    inner join spells using (district_id, district_student_id, school_year)
    inner join rosters using (district_id, school_year)
    left join student_mentions as listings
        on
            listings.feed = 'students'
            and rosters.district_id = listings.district_id
            and rosters.school_year = listings.school_year
            and rosters.contract_object = listings.contract_object
            and enrollment_files.district_student_id = listings.district_student_id
    where
        not spells.is_no_show
        and enrollment_files.as_of_date
        between spells.entry_date and coalesce(spells.exit_date, 'infinity')
        and listings.student_id is null

),

-- An exit before July 1 belongs to the year before.
exits_without_entry as (

    select
        enrollment_files.*,
        'exit_without_entry' as reason_code,
        null as missing_from
    from enrollments
    inner join enrollment_files using (district_id, district_student_id, school_year)
    left join spells
        on
            enrollments.district_id = spells.district_id
            and enrollments.district_student_id = spells.district_student_id
            and enrollments.school_year = spells.school_year
            and enrollments.school_code = spells.school_code
            and enrollments.activity_date = spells.exit_date
    where
        enrollments.activity_kind = 'exit'
        and enrollments.activity_date >= make_date(enrollments.school_year - 1, 7, 1)
        and spells.district_student_id is null

),

exits_before_entry as (

    select
        enrollment_files.*,
        'exit_before_entry' as reason_code,
        null as missing_from
    from enrollment_files
    inner join spells using (district_id, district_student_id, school_year)
    where spells.exit_date < spells.entry_date

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
enrolled_without_calendar as (

    select
        enrollment_files.*,
        'school_without_calendar' as reason_code,
        null as missing_from
    from enrollment_files
    inner join spells using (district_id, district_student_id, school_year)
    inner join years_with_calendars using (district_id, school_year)
    left join school_calendars using (district_id, school_year, school_code)
    where not spells.is_no_show and school_calendars.school_code is null

),

impossible_months as (

    select
        student_mentions.*,
        'absent_longer_than_enrolled' as reason_code,
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

),

findings as (

    select * from missing_from_a_roster
    union all
    select * from exits_without_entry
    union all
    select * from exits_before_entry
    union all
    select * from enrolled_without_calendar
    union all
    select * from impossible_months

),

incomplete_enrollments as (

    select
        reason_code,
        district_id as partner_id,
        contract_object,
        school_year,
        student_id as record_id,
        max(as_of_date) as as_of_date,
        count(*) as rows_affected,
        missing_from
    from findings
    group by
        reason_code,
        district_id,
        contract_object,
        school_year,
        student_id,
        missing_from

)

select * from incomplete_enrollments
