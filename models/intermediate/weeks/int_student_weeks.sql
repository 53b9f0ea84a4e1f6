with

as_of as (

    select * from {{ ref('int_as_of') }}

),

enrolled_weeks as (

    select * from {{ ref('int_enrolled_weeks') }}

),

attendance as (

    select * from {{ ref('int_weekly_attendance') }}

),

grades as (

    select * from {{ ref('int_weekly_grades') }}

),

discipline as (

    select * from {{ ref('int_discipline_actions_accepted') }}

),

discipline_actions as (

    select * from {{ ref('discipline_actions') }}

),

gpas as (

    select * from {{ ref('int_gpas_accepted') }}

),

days_known as (

    select * from {{ ref('int_days_known') }}

),

-- No row means no suspension only for a district that has sent discipline this year.
discipline_districts as (

    select feeds_delivered.partner_id as district_id
    from {{ ref('int_feeds_delivered') }} as feeds_delivered
    inner join as_of using (school_year)
    where feeds_delivered.feed = 'discipline_actions'

),

suspensions as (

    select
        discipline.district_id,
        discipline.district_student_id,
        cast(date_trunc('week', discipline.incident_date) as date) as week_starts_on,
        count(*) as suspensions,
        sum(discipline.days) as suspension_days
    from discipline
    inner join as_of using (school_year)
    inner join discipline_actions using (action)
    where discipline_actions.is_suspension
    group by
        discipline.district_id, discipline.district_student_id, week_starts_on

),

-- What happened outside enrollment counts in the enrolled weeks after it.
weekly as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        enrolled_weeks.school_year,
        enrolled_weeks.week_ends_on,
        attendance.days_enrolled,
        attendance.days_absent,
        attendance.days_absent_unexcused,
        suspensions.suspensions,
        suspensions.suspension_days,
        grades.courses_marked,
        grades.courses_failed,
        grades.marking_period
    from enrolled_weeks
    full join attendance
        using (district_id, district_student_id, week_starts_on)
    full join suspensions
        using (district_id, district_student_id, week_starts_on)
    full join grades
        using (district_id, district_student_id, week_starts_on)

),

to_date as (

    select
        district_id,
        district_student_id,
        school_year,
        week_starts_on,
        week_ends_on,
        coalesce(sum(days_enrolled) over so_far, 0) as days_enrolled,
        coalesce(sum(days_absent) over so_far, 0) as days_absent,
        coalesce(sum(days_absent_unexcused) over so_far, 0) as days_absent_unexcused,
        -- Suspensions of unknown length are not 0 days.
        case
            when sum(suspensions) over so_far > 0 then sum(suspension_days) over so_far
            else 0
        end as suspension_days,
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
        to_date.school_year,
        to_date.week_starts_on,
        to_date.week_ends_on,
        case when days_known.has_days then to_date.days_enrolled end as days_enrolled,
        case when days_known.has_absences then to_date.days_absent end as days_absent,
        case
            when days_known.has_absences then to_date.days_absent_unexcused
        end as days_absent_unexcused,
        case
            when discipline_districts.district_id is not null
                then to_date.suspension_days
        end as suspension_days,
        case
            when to_date.courses_marked > 0 then to_date.courses_failed
        end as courses_failed,
        gpas.gpa
    from to_date
    left join days_known using (district_id, district_student_id, school_year)
    left join discipline_districts using (district_id)
    left join gpas using (district_id, district_student_id, school_year, marking_period)
    where to_date.week_ends_on is not null

)

select * from student_weeks
