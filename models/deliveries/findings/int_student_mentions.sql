{% set by_local_id = ['attendance_totals', 'course_marks'] %}
{% set by_either_id = [
    'students', 'enrollments', 'attendance_year_totals', 'gpas', 'assessments',
    'discipline_actions', 'programs',
] %}

with

attendance_reports as (

    select * from {{ ref('int_attendance_reports') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

-- Aggregate before the join: an attendance file has a row per student and day.
mentioned as (

    {% for feed in by_local_id + by_either_id %}
    {% set state_id = 'null' if feed in by_local_id else 'sent.state_student_id' %}
    select
        sent.partner_id,
        snapshots.contract_object,
        '{{ feed }}' as feed,
        snapshots.school_year,
        snapshots.as_of_date,
        sent.district_student_id is null as is_state_id,
        coalesce(sent.district_student_id, {{ state_id }}) as student_id,
        count(*) as rows_affected
    from {{ ref('stg_' ~ feed) }} as sent
    inner join snapshots
        on sent.load_id = snapshots.load_id and snapshots.feed = '{{ feed }}'
    group by
        sent.partner_id,
        snapshots.contract_object,
        snapshots.school_year,
        snapshots.as_of_date,
        sent.district_student_id is null,
        coalesce(sent.district_student_id, {{ state_id }})
    union all
    {% endfor %}
    select
        attendance_reports.partner_id,
        snapshots.contract_object,
        'attendance_events' as feed,
        attendance_reports.school_year,
        attendance_reports.as_of_date,
        attendance_reports.district_student_id is null as is_state_id,
        coalesce(
            attendance_reports.district_student_id, attendance_reports.state_student_id
        ) as student_id,
        attendance_reports.rows_reported as rows_affected
    from attendance_reports
    inner join snapshots
        on
            attendance_reports.load_id = snapshots.load_id
            and snapshots.feed = 'attendance_events'

),

student_mentions as (

    select
        mentioned.partner_id as district_id,
        mentioned.contract_object,
        mentioned.feed,
        mentioned.school_year,
        mentioned.student_id,
        student_ids.district_student_id,
        max(mentioned.as_of_date) as as_of_date,
        sum(mentioned.rows_affected)::bigint as rows_affected
    from mentioned
    left join student_ids
        on
            mentioned.partner_id = student_ids.district_id
            and mentioned.is_state_id = student_ids.is_state_id
            and mentioned.student_id = student_ids.student_id
    group by
        mentioned.partner_id,
        mentioned.contract_object,
        mentioned.feed,
        mentioned.school_year,
        mentioned.student_id,
        student_ids.district_student_id

)

select * from student_mentions
