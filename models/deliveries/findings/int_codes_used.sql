{% set coded_columns = [
    ('students', 'grade', 'grade'),
    ('students', 'gender', 'gender'),
    ('students', 'race', 'race'),
    ('students', 'english_learner', 'english_learner'),
    ('students', 'special_education', 'special_education'),
    ('students', 'primary_disability', 'disability'),
    ('students', 'economic_status', 'economic_status'),
    ('students', 'homeless', 'yes_no'),
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
    ('clients', 'sex', 'gender'),
] %}

with

deliveries as (

    select distinct load_id from {{ ref('int_deliveries') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

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

-- Aggregating before the join lets parallel workers count the rows.
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
        counted.domain,
        counted.partner_id,
        counted.feed_column,
        counted.source_code,
        cast(sum(counted.rows_affected) as bigint) as rows_affected,
        min(counted.as_of_date) as first_as_of_date,
        max(counted.as_of_date) as last_as_of_date
    from counted
    inner join deliveries using (load_id)
    where counted.source_code is not null
    group by
        counted.domain,
        counted.partner_id,
        counted.feed_column,
        counted.source_code

),

codes_used as (

    select
        codes_sent.domain,
        codes_sent.partner_id,
        codes_sent.feed_column,
        codes_sent.source_code,
        code_crosswalk.code,
        codes_sent.rows_affected,
        codes_sent.first_as_of_date,
        codes_sent.last_as_of_date
    from codes_sent
    left join code_crosswalk using (domain, partner_id, source_code)

)

select * from codes_used
