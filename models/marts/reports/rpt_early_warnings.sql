with

codes as (

    select * from {{ ref('codes') }}

),

weeks as (

    select * from {{ ref('int_student_weeks') }}

),

reported_weeks as (

    select * from {{ ref('int_reported_weeks') }}

),

student_years as (

    select * from {{ ref('int_student_years') }}

),

students as (

    select * from {{ ref('dim_students') }}

),

grade_bands as (

    select * from {{ ref('grade_bands') }}

),

thresholds as (

    select * from {{ ref('early_warning_thresholds') }}

),

compulsory_ages as (

    select * from {{ ref('compulsory_ages') }}

),

truancy_thresholds as (

    select * from {{ ref('truancy_thresholds') }}

),

-- Attributes that are the same in every week of a student. Students are numbered,
-- because a number sorts much faster than a key.
students_with_rules as (

    select
        row_number() over () as student_number,
        students.student_key,
        students.person_id,
        student_years.district_id,
        student_years.district_student_id,
        student_years.school_year,
        student_years.school_code,
        student_years.grade,
        grade_bands.grade_band,
        thresholds.absence_share_min,
        thresholds.suspension_days_min,
        thresholds.courses_failed_min,
        thresholds.gpa_max,
        students.birth_date + make_interval(years => compulsory_ages.age_from)
            as compulsory_from,
        students.birth_date + make_interval(years => compulsory_ages.age_until)
            as compulsory_until,
        truant.unexcused_days_min as truant_from_days,
        habitually_truant.unexcused_days_min as habitually_truant_from_days
    from student_years
    inner join students using (district_id, district_student_id)
    left join grade_bands using (grade)
    left join thresholds
        on
            grade_bands.grade_band = thresholds.grade_band
            and {{ in_force('thresholds', 'student_years.school_year') }}
    left join compulsory_ages
        on {{ in_force('compulsory_ages', 'student_years.school_year') }}
    left join truancy_thresholds as truant
        on
            truant.status = 'truant'
            and {{ in_force('truant', 'student_years.school_year') }}
    left join truancy_thresholds as habitually_truant
        on
            habitually_truant.status = 'habitually_truant'
            and {{ in_force('habitually_truant', 'student_years.school_year') }}

),

-- Products instead of quotients, so that exactly 10 % is exactly 10 %. A flag is null
-- if the data were not delivered or the grade band has no threshold.
flagged as (

    select
        rules.student_number,
        weeks.week_starts_on,
        weeks.week_ends_on,
        weeks.days_enrolled,
        weeks.days_absent,
        weeks.days_absent_unexcused,
        weeks.suspension_days,
        weeks.courses_failed,
        weeks.gpa,
        weeks.week_ends_on >= rules.compulsory_from
        and weeks.week_ends_on < rules.compulsory_until as is_of_compulsory_age,
        cast(
            weeks.days_absent / nullif(weeks.days_enrolled, 0) as numeric(21, 20)
        ) as absence_share,
        case
            when weeks.days_enrolled > 0
                then
                    weeks.days_absent >= rules.absence_share_min * weeks.days_enrolled
        end as has_attendance_flag,
        weeks.suspension_days >= rules.suspension_days_min as has_behavior_flag,
        weeks.courses_failed >= rules.courses_failed_min as has_course_flag,
        weeks.gpa <= rules.gpa_max as has_gpa_flag,
        lead(weeks.week_starts_on) over (
            partition by rules.student_number order by weeks.week_starts_on
        ) as next_week
    from weeks
    inner join students_with_rules as rules
        using (district_id, district_student_id, school_year)

),

-- The current series of a flag starts after the last week without it.
compared as (

    select
        {% for value in ['absence_share', 'suspension_days', 'courses_failed', 'gpa'] %}
        {{ value }} - first_value({{ value }}) over four_weeks_earlier
            as {{ value }}_change,
        {% endfor %}
        {% for flag in ['attendance', 'behavior', 'course', 'gpa'] %}
        case
            when has_{{ flag }}_flag
                then coalesce(
                    max(next_week) filter (
                        where has_{{ flag }}_flag is not true
                    ) over so_far,
                    first_value(week_starts_on) over so_far
                )
        end as {{ flag }}_flag_since,
        {% endfor %}
        flagged.*
    from flagged
    window
        so_far as (partition by student_number order by week_starts_on),
        four_weeks_earlier as (
            partition by student_number order by week_starts_on
            range between interval '28 days' preceding
            and interval '28 days' preceding
        )

),

-- Absences and suspensions count on their days, which the report before could not know
-- if their feed did not come. Grades count from the week of their delivery.
-- Districts deliver on different days, so each has its own latest week. In summer it is
-- the last week of school.
latest_weeks as (

    select
        rules.district_id,
        max(compared.week_starts_on) as week_starts_on,
        reported_weeks.previous_week,
        reported_weeks.previous_attendance_week,
        reported_weeks.previous_discipline_week
    from compared
    inner join students_with_rules as rules using (student_number)
    inner join reported_weeks using (district_id)
    where compared.week_starts_on <= reported_weeks.week_starts_on
    group by
        rules.district_id,
        reported_weeks.previous_week,
        reported_weeks.previous_attendance_week,
        reported_weeks.previous_discipline_week

),

early_warnings as (

    select
        rules.student_key,
        rules.person_id,
        rules.district_id,
        rules.district_student_id,
        rules.school_year,
        compared.week_starts_on,
        compared.week_ends_on,
        coalesce(compared.week_starts_on = latest.week_starts_on, false)
            as is_latest_week,
        rules.school_code,
        rules.grade,
        grades.label as grade_label,
        rules.grade_band,
        cast(compared.days_enrolled as integer) as days_enrolled,
        cast(compared.days_absent as numeric(6, 2)) as days_absent,
        cast(compared.days_absent_unexcused as numeric(6, 2)) as days_absent_unexcused,
        compared.absence_share,
        compared.absence_share_change,
        compared.has_attendance_flag,
        compared.attendance_flag_since,
        cast(compared.suspension_days as numeric(6, 2)) as suspension_days,
        cast(compared.suspension_days_change as numeric(6, 2))
            as suspension_days_change,
        compared.has_behavior_flag,
        compared.behavior_flag_since,
        cast(compared.courses_failed as integer) as courses_failed,
        cast(compared.courses_failed_change as integer) as courses_failed_change,
        compared.has_course_flag,
        compared.course_flag_since,
        cast(compared.gpa as numeric(5, 4)) as gpa,
        cast(compared.gpa_change as numeric(5, 4)) as gpa_change,
        compared.has_gpa_flag,
        compared.gpa_flag_since,
        -- The greatest of flags skips those that are not known.
        greatest(
            compared.has_attendance_flag,
            compared.has_behavior_flag,
            compared.has_course_flag,
            compared.has_gpa_flag
        ) as has_warning,
        case
            when compared.week_starts_on = latest.week_starts_on
                then nullif(concat_ws(
                    ', ',
                    {% for flag, week in [
                        ('attendance', 'previous_attendance_week'),
                        ('behavior', 'previous_discipline_week'),
                        ('course', 'previous_week'),
                        ('gpa', 'previous_week'),
                    ] %}
                    case
                        when
                            compared.{{ flag }}_flag_since
                            > coalesce(latest.{{ week }}, '-infinity')
                            then '{{ flag }}'
                    end{{ ',' if not loop.last }}
                    {% endfor %}
                ), '')
        end as new_flags,
        nullif(concat_ws(
            ', ',
            case when rules.absence_share_min is null then 'attendance' end,
            case when rules.suspension_days_min is null then 'behavior' end,
            case when rules.courses_failed_min is null then 'course' end,
            case when rules.gpa_max is null then 'gpa' end
        ), '') as flags_without_threshold,
        compared.is_of_compulsory_age,
        case
            when rules.truant_from_days is not null
                then
                    compared.days_absent_unexcused >= rules.truant_from_days
                    and compared.is_of_compulsory_age
        end as is_truant,
        case
            when rules.habitually_truant_from_days is not null
                then
                    compared.days_absent_unexcused >= rules.habitually_truant_from_days
                    and compared.is_of_compulsory_age
        end as is_habitually_truant
    from compared
    inner join students_with_rules as rules using (student_number)
    left join latest_weeks as latest using (district_id)
    left join codes as grades
        on grades.domain = 'grade' and cast(rules.grade as text) = grades.code

)

select * from early_warnings
