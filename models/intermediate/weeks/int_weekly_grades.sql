with

as_of as (

    select * from {{ ref('stg_as_of') }}

),

student_years as (

    select student_years.*
    from {{ ref('int_student_years') }} as student_years
    inner join as_of on student_years.school_year = as_of.school_year

),

course_marks as (

    select * from {{ ref('stg_course_marks') }}

),

gpas as (

    select * from {{ ref('stg_gpas') }}

),

arrivals as (

    select
        *,
        cast(date_trunc('week', first_delivered_on) as date) as week_starts_on
    from {{ ref('stg_marking_period_arrivals') }}

),

grade_bands as (

    select * from {{ ref('grade_bands') }}

),

thresholds as (

    select * from {{ ref('early_warning_thresholds') }}

),

-- One failed marking period fails the course.
courses as (

    select
        course_marks.district_id,
        course_marks.district_student_id,
        course_marks.course_code,
        min(arrivals.week_starts_on) as marked_in_week,
        min(arrivals.week_starts_on) filter (
            where
            course_marks.is_failed
            and (
                thresholds.failed_subjects is null
                or course_marks.subject
                = any(string_to_array(thresholds.failed_subjects, ' '))
            )
        ) as failed_in_week
    from course_marks
    inner join arrivals
        on
            arrivals.feed = 'course_marks'
            and course_marks.district_id = arrivals.district_id
            and course_marks.district_student_id = arrivals.district_student_id
            and course_marks.school_year = arrivals.school_year
            and course_marks.marking_period = arrivals.marking_period
    inner join student_years
        on
            course_marks.district_id = student_years.district_id
            and course_marks.district_student_id = student_years.district_student_id
            and course_marks.school_year = student_years.school_year
    left join grade_bands on student_years.grade = grade_bands.grade
    left join thresholds
        on
            grade_bands.grade_band = thresholds.grade_band
            and {{ in_force('thresholds', 'course_marks.school_year') }}
    group by
        course_marks.district_id,
        course_marks.district_student_id,
        course_marks.course_code

),

gpa_periods as (

    select
        gpas.district_id,
        gpas.district_student_id,
        arrivals.week_starts_on,
        gpas.marking_period
    from gpas
    inner join arrivals
        on
            arrivals.feed = 'gpas'
            and gpas.district_id = arrivals.district_id
            and gpas.district_student_id = arrivals.district_student_id
            and gpas.school_year = arrivals.school_year
            and gpas.marking_period = arrivals.marking_period

),

unioned as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        0 as courses_marked,
        0 as courses_failed,
        marking_period
    from gpa_periods
    union all
    select
        district_id,
        district_student_id,
        marked_in_week as week_starts_on,
        1 as courses_marked,
        0 as courses_failed,
        null as marking_period
    from courses
    union all
    select
        district_id,
        district_student_id,
        failed_in_week as week_starts_on,
        0 as courses_marked,
        1 as courses_failed,
        null as marking_period
    from courses
    where failed_in_week is not null

),

weekly_grades as (

    select
        district_id,
        district_student_id,
        week_starts_on,
        sum(courses_marked) as courses_marked,
        sum(courses_failed) as courses_failed,
        max(marking_period) as marking_period
    from unioned
    group by district_id, district_student_id, week_starts_on

)

select * from weekly_grades
