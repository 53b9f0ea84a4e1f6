{{ config(materialized='table', grants={'select': ['outcomes_steward']}) }}

{% set coded_columns = [
    ('students', 'grade', 'grade'),
    ('students', 'gender', 'gender'),
    ('students', 'race', 'race'),
    ('students', 'english_learner', 'english_learner'),
    ('students', 'special_education', 'special_education'),
    ('students', 'primary_disability', 'disability'),
    ('students', 'economic_status', 'economic_status'),
    ('students', 'homeless', 'yes_no'),
    ('students', 'graduation_status', 'graduation_status'),
    ('students', 'post_school_plan', 'post_school_plan'),
    ('enrollments', 'grade', 'grade'),
    ('enrollments', 'entry_code', 'enrollment_code'),
    ('enrollments', 'exit_code', 'enrollment_code'),
    ('enrollments', 'activity_code', 'enrollment_code'),
    ('calendar_days', 'in_session', 'yes_no'),
    ('course_marks', 'subject', 'course_subject'),
    ('course_marks', 'mark', 'mark_result'),
    ('assessments', 'grade', 'grade'),
    ('assessments', 'subject', 'subject'),
    ('assessments', 'level', 'performance_level'),
    ('discipline_actions', 'action', 'discipline_action'),
    ('programs', 'program', 'school_program'),
    ('clients', 'sex', 'gender'),
] %}

with

-- One scan of the largest feed serves both of its coded columns.
attendance_codes as (

    select
        partner_id,
        load_id,
        as_of_date,
        event_code,
        excused,
        count(*) as rows_affected
    from {{ source('raw', 'attendance_events') }}
    group by partner_id, load_id, as_of_date, event_code, excused

),

counted as (

    {% for feed, column, domain in coded_columns %}
    select
        '{{ domain }}' as domain,
        partner_id,
        load_id,
        as_of_date,
        '{{ feed }}.{{ column }}' as feed_column,
        {{ column }} as source_code,
        count(*) as rows_affected
    from {{ source('raw', feed) }}
    group by partner_id, load_id, as_of_date, {{ column }}
    union all
    {% endfor %}
    select
        codes.domain,
        attendance_codes.partner_id,
        attendance_codes.load_id,
        attendance_codes.as_of_date,
        codes.feed_column,
        codes.source_code,
        attendance_codes.rows_affected
    from attendance_codes
    cross join
        lateral (
            values
            ('attendance', 'attendance_events.event_code', attendance_codes.event_code),
            ('yes_no', 'attendance_events.excused', attendance_codes.excused)
        ) as codes (domain, feed_column, source_code)

),

codes_sent as (

    select
        domain,
        partner_id,
        load_id,
        as_of_date,
        feed_column,
        source_code,
        cast(sum(rows_affected) as bigint) as rows_affected
    from counted
    where source_code is not null
    group by domain, partner_id, load_id, as_of_date, feed_column, source_code

)

select * from codes_sent
