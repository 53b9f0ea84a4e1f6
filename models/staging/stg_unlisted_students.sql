{% set student_feeds = [
    'enrollments', 'attendance_totals', 'gpas', 'course_marks',
    'assessments', 'discipline_actions',
] %}
{% set feeds_by_local_id = ['attendance_totals', 'course_marks'] %}

with

attendance_reports as (

    select * from {{ ref('stg_attendance_reports') }}

),

snapshots as (

    select * from {{ ref('stg_snapshots') }}

),

-- A roster that lands while the build runs belongs to the next build.
deliveries as (

    select distinct load_id from {{ ref('stg_deliveries') }}

),

students as (

    select
        raw.partner_id,
        raw.district_student_id,
        raw.state_student_id
    from {{ source('raw', 'students') }} as raw
    inner join deliveries on raw.load_id = deliveries.load_id

),

listed_ids as (

    select
        partner_id,
        district_student_id as student_id
    from students
    union
    select
        partner_id,
        state_student_id as student_id
    from students

),

-- A file that keys by local id is looked up by it, any other by state id. Ids are
-- counted before they are looked up: a student is in a file of attendance every day.
mentioned as (

    {% for feed in student_feeds %}
    {% set student_id = 'raw.district_student_id' %}
    {% if feed not in feeds_by_local_id %}
    {% set student_id = 'coalesce(' ~ student_id ~ ', raw.state_student_id)' %}
    {% endif %}
    select
        raw.partner_id,
        '{{ feed }}' as feed,
        snapshots.school_year,
        snapshots.as_of_date,
        {{ student_id }} as student_id,
        count(*) as rows_affected
    from {{ source('raw', feed) }} as raw
    inner join snapshots on raw.load_id = snapshots.load_id
    group by
        raw.partner_id,
        snapshots.school_year,
        snapshots.as_of_date,
        {{ student_id }}
    union all
    {% endfor %}
    select
        partner_id,
        'attendance_events' as feed,
        school_year,
        as_of_date,
        coalesce(district_student_id, state_student_id) as student_id,
        rows_reported as rows_affected
    from attendance_reports

),

unlisted_students as (

    select
        mentioned.partner_id as district_id,
        mentioned.feed,
        mentioned.school_year,
        mentioned.student_id,
        max(mentioned.as_of_date) as as_of_date,
        sum(mentioned.rows_affected)::bigint as rows_affected
    from mentioned
    left join listed_ids
        on
            mentioned.partner_id = listed_ids.partner_id
            and mentioned.student_id = listed_ids.student_id
    where listed_ids.student_id is null
    group by
        mentioned.partner_id,
        mentioned.feed,
        mentioned.school_year,
        mentioned.student_id

)

select * from unlisted_students
