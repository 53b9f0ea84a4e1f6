with

attendance_totals as (

    select * from {{ ref('stg_attendance_totals') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'attendance_totals'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

-- A district that changes from totals to daily events within a year sends all absences
-- of the year as events. The totals would count them twice.
years_with_events as (

    select * from {{ ref('int_feeds_delivered') }}
    where feed = 'attendance_events'

),

-- Rounding by month makes weeks and years add up to the same days.
monthly_totals as (

    select
        attendance_totals.partner_id as district_id,
        attendance_totals.district_student_id,
        snapshots.school_year,
        attendance_totals.month,
        round(sum(attendance_totals.days_enrolled)) as days_enrolled,
        round(sum(attendance_totals.days_excused), 2) as days_absent_excused,
        round(sum(attendance_totals.days_unexcused), 2) as days_absent_unexcused
    from attendance_totals
    inner join snapshots on attendance_totals.load_id = snapshots.load_id
    inner join student_ids
        on
            attendance_totals.partner_id = student_ids.district_id
            and attendance_totals.district_student_id = student_ids.student_id
            and not student_ids.is_state_id
    left join years_with_events
        on
            snapshots.partner_id = years_with_events.partner_id
            and snapshots.school_year = years_with_events.school_year
    where years_with_events.partner_id is null
    group by
        attendance_totals.partner_id,
        attendance_totals.district_student_id,
        snapshots.school_year,
        attendance_totals.month

),

checked_totals as (

    select
        *,
        days_absent_excused + days_absent_unexcused <= days_enrolled as is_possible
    from monthly_totals

)

select * from checked_totals
