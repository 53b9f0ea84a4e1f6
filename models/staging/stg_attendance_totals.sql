with

attendance_totals as (

    select * from {{ source('raw', 'attendance_totals') }}

),

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

student_ids as (

    select * from {{ ref('stg_student_ids') }}

),

monthly_totals as (

    select
        attendance_totals.partner_id as district_id,
        attendance_totals.district_student_id,
        snapshots.school_year,
        attendance_totals.month,
        sum(attendance_totals.days_enrolled) as days_enrolled,
        sum(attendance_totals.days_present) as days_present,
        sum(attendance_totals.days_excused) as days_absent_excused,
        sum(attendance_totals.days_unexcused) as days_absent_unexcused,
        sum(attendance_totals.days_excused + attendance_totals.days_unexcused)
        <= sum(attendance_totals.days_enrolled) as is_possible
    from attendance_totals
    inner join snapshots on attendance_totals.load_id = snapshots.load_id
    inner join student_ids
        on
            attendance_totals.partner_id = student_ids.district_id
            and attendance_totals.district_student_id = student_ids.student_id
            and not student_ids.is_state_id
    group by
        attendance_totals.partner_id,
        attendance_totals.district_student_id,
        snapshots.school_year,
        attendance_totals.month

)

select * from monthly_totals
