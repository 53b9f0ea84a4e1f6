with

attendance_events as (

    select * from {{ source('raw', 'attendance_events') }}

),

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

student_ids as (

    select * from {{ ref('stg_student_ids') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

decoded as (

    select
        attendance_events.partner_id as district_id,
        coalesce(
            attendance_events.district_student_id, student_ids.district_student_id
        ) as district_student_id,
        snapshots.school_year,
        attendance_events.school_code,
        attendance_events.event_date,
        categories.code as category,
        attendance_events.day_fraction,
        excused_flags.code = 'yes' as is_excused
    from attendance_events
    inner join snapshots on attendance_events.load_id = snapshots.load_id
    left join student_ids
        on
            attendance_events.partner_id = student_ids.district_id
            and attendance_events.state_student_id = student_ids.state_student_id
    left join code_crosswalk as categories
        on
            categories.domain = 'attendance'
            and attendance_events.partner_id = categories.partner_id
            and attendance_events.event_code = categories.source_code
    left join code_crosswalk as excused_flags
        on
            excused_flags.domain = 'yes_no'
            and attendance_events.partner_id = excused_flags.partner_id
            and attendance_events.excused = excused_flags.source_code

),

known_students as (

    select * from decoded
    where district_student_id is not null

)

select * from known_students
