with

outcomes as (

    select * from {{ ref('int_student_year_outcomes') }}

),

promise_continuity as (

    select * from {{ ref('int_promise_continuity') }}

),

promise_rules as (

    select * from {{ ref('promise_rules') }}

),

enrollment_codes as (

    select * from {{ ref('enrollment_codes') }}

),

candidates as (

    select
        outcomes.district_id,
        outcomes.district_student_id,
        outcomes.school_year,
        outcomes.gpa,
        outcomes.days_enrolled,
        {% if var('promise_attendance_counts') == 'all' %}
        outcomes.days_absent as days_counted_absent,
        {% else %}
        outcomes.days_absent_unexcused as days_counted_absent,
        {% endif %}
        coalesce(enrollment_codes.is_graduation, false) as is_graduate,
        promise_rules.class_year,
        promise_rules.gpa_min,
        promise_rules.extension_gpa_min,
        promise_rules.attendance_min,
        promise_continuity.history_is_complete,
        promise_continuity.is_continuous
        and not coalesce(enrollment_codes.breaks_continuity, false) as stayed
    from outcomes
    inner join promise_continuity using (district_id, district_student_id, school_year)
    inner join promise_rules
        on outcomes.school_year + 12 - outcomes.grade = promise_rules.class_year
    left join enrollment_codes on outcomes.exit_code = enrollment_codes.code

),

conditions as (

    select
        *,
        gpa is not null
        and coalesce(days_enrolled > 0, false)
        and days_counted_absent is not null as is_known,
        days_enrolled - days_counted_absent
        >= attendance_min * days_enrolled as attended
    from candidates

),

promise_statuses as (

    select
        district_id,
        district_student_id,
        school_year,
        history_is_complete,
        class_year,
        gpa_min,
        extension_gpa_min,
        attendance_min,
        days_counted_absent,
        is_graduate,
        attended,
        stayed,
        case
            when not is_known then 'unknown'
            when attended and stayed and gpa >= gpa_min
                then case when is_graduate then 'eligible' else 'on_track' end
            when attended and stayed and gpa >= extension_gpa_min
                then
                    case
                        when is_graduate then 'extension' else 'on_track_extension'
                    end
            when is_graduate then 'not_eligible'
            else 'off_track'
        end as promise_status
    from conditions

)

select * from promise_statuses
