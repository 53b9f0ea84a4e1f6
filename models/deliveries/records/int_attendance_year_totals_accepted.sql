with

attendance_year_totals as (

    select * from {{ ref('stg_attendance_year_totals') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'attendance_year_totals'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

year_totals as (

    select
        attendance_year_totals.partner_id as district_id,
        student_ids.district_student_id,
        snapshots.school_year,
        snapshots.contract_object,
        snapshots.as_of_date,
        attendance_year_totals.line_number,
        coalesce(
            attendance_year_totals.district_student_id,
            attendance_year_totals.state_student_id
        ) as student_id,
        attendance_year_totals.days_enrolled,
        attendance_year_totals.days_present
    from attendance_year_totals
    inner join snapshots on attendance_year_totals.load_id = snapshots.load_id
    {{ join_student_ids('attendance_year_totals') }}

)

select * from year_totals
