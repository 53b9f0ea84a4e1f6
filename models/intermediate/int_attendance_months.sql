with

enrollment_days as (

    select * from {{ ref('int_enrollment_days') }}

),

absence_days as (

    select * from {{ ref('int_absence_days') }}

),

attendance_totals as (

    select * from {{ ref('stg_attendance_totals') }}

),

counted_months as (

    select
        enrollment_days.district_id,
        enrollment_days.district_student_id,
        enrollment_days.school_year,
        cast(date_trunc('month', enrollment_days.calendar_date) as date) as month,
        count(*) as days_enrolled,
        coalesce(
            sum(absence_days.day_fraction) filter (where absence_days.is_excused), 0
        ) as days_absent_excused,
        coalesce(
            sum(absence_days.day_fraction) filter (where not absence_days.is_excused), 0
        ) as days_absent_unexcused
    from enrollment_days
    left join absence_days
        on
            enrollment_days.district_id = absence_days.district_id
            and enrollment_days.district_student_id = absence_days.district_student_id
            and enrollment_days.calendar_date = absence_days.calendar_date
    group by
        enrollment_days.district_id,
        enrollment_days.district_student_id,
        enrollment_days.school_year,
        cast(date_trunc('month', enrollment_days.calendar_date) as date)

),

reported_months as (

    select
        district_id,
        district_student_id,
        school_year,
        month,
        days_enrolled,
        days_absent_excused,
        days_absent_unexcused
    from attendance_totals

),

attendance_months as (

    select * from counted_months
    union all
    select * from reported_months

),

typed as (

    select
        district_id,
        district_student_id,
        school_year,
        month,
        cast(days_enrolled as integer) as days_enrolled,
        cast(days_absent_excused as numeric(6, 2)) as days_absent_excused,
        cast(days_absent_unexcused as numeric(6, 2)) as days_absent_unexcused
    from attendance_months

)

select * from typed
