with

as_of as (

    select * from {{ ref('stg_as_of') }}

),

-- A district's weeks end with its newest delivery.
district_years as (

    select district_years.*
    from {{ ref('int_district_years') }} as district_years
    inner join as_of on district_years.school_year = as_of.school_year

),

spells as (

    select spells.*
    from {{ ref('int_enrollment_spells') }} as spells
    inner join as_of on spells.school_year = as_of.school_year
    where not spells.is_no_show

),

calendar_days as (

    select * from {{ ref('stg_calendar_days') }}
    where is_in_session

),

enrollment_calendars as (

    select * from {{ ref('int_enrollment_calendars') }}

),

absence_calendars as (

    select * from {{ ref('int_absence_calendars') }}

),

attendance_totals as (

    select * from {{ ref('stg_attendance_totals') }}
    where is_possible

),

discipline as (

    select * from {{ ref('stg_discipline_actions') }}

),

discipline_actions as (

    select * from {{ ref('discipline_actions') }}

),

days_known as (

    select * from {{ ref('int_days_known') }}

),

course_marks as (

    select * from {{ ref('stg_course_marks') }}

),

gpas as (

    select * from {{ ref('stg_gpas') }}

),

arrivals as (

    select * from {{ ref('stg_marking_period_arrivals') }}

),

grade_bands as (

    select * from {{ ref('grade_bands') }}

),

thresholds as (

    select * from {{ ref('early_warning_thresholds') }}

),

student_years as (

    select student_years.*
    from {{ ref('int_student_years') }} as student_years
    inner join as_of on student_years.school_year = as_of.school_year

),

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

contract_feeds as (

    select * from {{ ref('stg_contract_feeds') }}

),

feeds_delivered as (

    select distinct
        snapshots.partner_id as district_id,
        contract_feeds.feed
    from snapshots
    inner join as_of on snapshots.school_year = as_of.school_year
    inner join contract_feeds
        on
            snapshots.partner_id = contract_feeds.partner_id
            and snapshots.contract_object = contract_feeds.contract_object

),

-- Weeks start with the first day in session or, without a calendar, with July 1.
first_days as (

    select
        district_id,
        school_year,
        min(calendar_date) as calendar_date
    from calendar_days
    group by district_id, school_year

),

enrolled_weeks as (

    select distinct
        spells.district_id,
        spells.district_student_id,
        cast(weeks.week_starts_on as date) as week_starts_on
    from spells
    inner join district_years on spells.district_id = district_years.district_id
    left join first_days
        on
            spells.district_id = first_days.district_id
            and spells.school_year = first_days.school_year
    cross join
        lateral generate_series(
            date_trunc(
                'week',
                greatest(
                    spells.entry_date,
                    coalesce(
                        first_days.calendar_date,
                        make_date(spells.school_year - 1, 7, 1)
                    )
                )
            ),
            least(spells.exit_date, district_years.known_through),
            interval '1 week'
        ) as weeks (week_starts_on)

),

-- The weeks of the year, each with the position of its Monday within the year.
weeks as (

    select
        as_of.school_year,
        cast(weeks.week_starts_on as date) as week_starts_on,
        cast(weeks.week_starts_on as date) - make_date(as_of.school_year - 1, 7, 1) + 1
            as first_day
    from as_of
    cross join
        lateral generate_series(
            date_trunc('week', make_date(as_of.school_year - 1, 7, 1)),
            make_date(as_of.school_year, 6, 30),
            interval '1 week'
        ) as weeks (week_starts_on)

),

-- Days and absences by week. The calendars contain enrolled days only.
counted_days as (

    select
        enrollment_calendars.district_id,
        enrollment_calendars.district_student_id,
        weeks.week_starts_on,
        bit_count(
            substring(enrollment_calendars.enrolled_days from weeks.first_day for 7)
        ) as days_enrolled,
        0 as days_absent,
        0 as days_absent_unexcused
    from enrollment_calendars
    inner join weeks on enrollment_calendars.school_year = weeks.school_year

),

absences as (

    select
        absence_calendars.district_id,
        absence_calendars.district_student_id,
        weeks.week_starts_on,
        absence_calendars.day_fraction,
        absence_calendars.is_excused,
        bit_count(
            substring(absence_calendars.absent_days from weeks.first_day for 7)
        ) as days
    from absence_calendars
    inner join weeks on absence_calendars.school_year = weeks.school_year

),

counted_absences as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        0 as days_enrolled,
        day_fraction * days as days_absent,
        case when is_excused then 0 else day_fraction * days end
            as days_absent_unexcused
    from absences
    where days > 0

),

-- Monthly totals cannot be divided by week. They count from the last day of the month,
-- or in the current month from the newest delivery.
reported_days as (

    select
        attendance_totals.district_id,
        attendance_totals.district_student_id,
        cast(
            date_trunc(
                'week',
                least(
                    attendance_totals.month + interval '1 month' - interval '1 day',
                    district_years.known_through
                )
            ) as date
        ) as week_starts_on,
        attendance_totals.days_enrolled,
        attendance_totals.days_absent_excused
        + attendance_totals.days_absent_unexcused as days_absent,
        attendance_totals.days_absent_unexcused
    from attendance_totals
    inner join district_years
        on
            attendance_totals.district_id = district_years.district_id
            and attendance_totals.school_year = district_years.school_year

),

suspensions as (

    select
        discipline.district_id,
        discipline.district_student_id,
        cast(date_trunc('week', discipline.incident_date) as date) as week_starts_on,
        discipline.days as suspension_days
    from discipline
    inner join as_of on discipline.school_year = as_of.school_year
    inner join discipline_actions on discipline.action = discipline_actions.action
    where discipline_actions.is_suspension

),

-- One failed marking period fails the course.
courses as (

    select
        course_marks.district_id,
        course_marks.district_student_id,
        course_marks.course_code,
        cast(date_trunc('week', min(arrivals.first_delivered_on)) as date)
            as marked_in_week,
        cast(
            date_trunc(
                'week',
                min(arrivals.first_delivered_on) filter (
                    where
                    course_marks.is_failed
                    and (
                        thresholds.failed_subjects is null
                        or course_marks.subject
                        = any(string_to_array(thresholds.failed_subjects, ' '))
                    )
                )
            ) as date
        ) as failed_in_week
    from course_marks
    inner join arrivals
        on
            arrivals.feed = 'course_marks'
            and course_marks.district_id = arrivals.district_id
            and course_marks.district_student_id = arrivals.district_student_id
            and course_marks.school_year = arrivals.school_year
            and course_marks.marking_period = arrivals.marking_period
    inner join student_years
        on
            course_marks.district_id = student_years.district_id
            and course_marks.district_student_id = student_years.district_student_id
    left join grade_bands on student_years.grade = grade_bands.grade
    left join thresholds
        on
            grade_bands.grade_band = thresholds.grade_band
            and {{ in_force('thresholds', 'course_marks.school_year') }}
    group by
        course_marks.district_id,
        course_marks.district_student_id,
        course_marks.course_code

),

grade_periods as (

    select
        gpas.district_id,
        gpas.district_student_id,
        cast(date_trunc('week', arrivals.first_delivered_on) as date)
            as week_starts_on,
        gpas.marking_period
    from gpas
    inner join arrivals
        on
            arrivals.feed = 'gpas'
            and gpas.district_id = arrivals.district_id
            and gpas.district_student_id = arrivals.district_student_id
            and gpas.school_year = arrivals.school_year
            and gpas.marking_period = arrivals.marking_period

),

events as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        'enrolled' as kind,
        1 as amount
    from enrolled_weeks
    union all
    select
        district_id,
        district_student_id,
        week_starts_on,
        'suspension_days' as kind,
        suspension_days as amount
    from suspensions
    union all
    select
        district_id,
        district_student_id,
        marked_in_week as week_starts_on,
        'course_marked' as kind,
        1 as amount
    from courses
    union all
    select
        district_id,
        district_student_id,
        failed_in_week as week_starts_on,
        'course_failed' as kind,
        1 as amount
    from courses
    where failed_in_week is not null
    union all
    select
        district_id,
        district_student_id,
        week_starts_on,
        'marking_period' as kind,
        marking_period as amount
    from grade_periods

),

attendance as (

    select * from counted_days
    where days_enrolled > 0
    union all
    select * from counted_absences
    union all
    select * from reported_days

),

events_and_attendance as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        kind,
        amount,
        0 as days_enrolled,
        0 as days_absent,
        0 as days_absent_unexcused
    from events
    union all
    select
        district_id,
        district_student_id,
        week_starts_on,
        'attendance' as kind,
        null as amount,
        days_enrolled,
        days_absent,
        days_absent_unexcused
    from attendance

),

weekly as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        bool_or(kind = 'enrolled') as is_enrolled,
        sum(days_enrolled) as days_enrolled,
        sum(days_absent) as days_absent,
        sum(days_absent_unexcused) as days_absent_unexcused,
        coalesce(sum(amount) filter (where kind = 'suspension_days'), 0)
            as suspension_days,
        count(*) filter (where kind = 'course_marked') as courses_marked,
        count(*) filter (where kind = 'course_failed') as courses_failed,
        -- The same type as `gpas.marking_period`, for the join.
        cast(max(amount) filter (where kind = 'marking_period') as integer)
            as marking_period
    from events_and_attendance
    group by district_id, district_student_id, week_starts_on

),

to_date as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        is_enrolled,
        sum(days_enrolled) over so_far as days_enrolled,
        sum(days_absent) over so_far as days_absent,
        sum(days_absent_unexcused) over so_far as days_absent_unexcused,
        sum(suspension_days) over so_far as suspension_days,
        sum(courses_marked) over so_far as courses_marked,
        sum(courses_failed) over so_far as courses_failed,
        max(marking_period) over so_far as marking_period
    from weekly
    window so_far as (
        partition by district_id, district_student_id order by week_starts_on
    )

),

student_weeks as (

    select
        to_date.district_id,
        to_date.district_student_id,
        district_years.school_year,
        to_date.week_starts_on,
        least(to_date.week_starts_on + 6, district_years.known_through) as week_ends_on,
        case when days_known.has_days then to_date.days_enrolled end as days_enrolled,
        case when days_known.has_absences then to_date.days_absent end as days_absent,
        case
            when days_known.has_absences then to_date.days_absent_unexcused
        end as days_absent_unexcused,
        case
            when feeds_delivered.feed is not null then to_date.suspension_days
        end as suspension_days,
        case
            when to_date.courses_marked > 0 then to_date.courses_failed
        end as courses_failed,
        gpas.gpa
    from to_date
    inner join district_years on to_date.district_id = district_years.district_id
    left join days_known
        on
            to_date.district_id = days_known.district_id
            and to_date.district_student_id = days_known.district_student_id
            and district_years.school_year = days_known.school_year
    left join feeds_delivered
        on
            to_date.district_id = feeds_delivered.district_id
            and feeds_delivered.feed = 'discipline_actions'
    left join gpas
        on
            to_date.district_id = gpas.district_id
            and to_date.district_student_id = gpas.district_student_id
            and district_years.school_year = gpas.school_year
            and to_date.marking_period = gpas.marking_period
    where to_date.is_enrolled

)

select * from student_weeks
