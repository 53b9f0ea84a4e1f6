with

as_of as (

    select * from {{ ref('int_as_of') }}

),

student_years as (

    select student_years.*
    from {{ ref('int_student_years') }} as student_years
    inner join as_of using (school_year)

),

course_marks as (

    select * from {{ ref('int_course_marks_accepted') }}

),

gpas as (

    select * from {{ ref('int_gpas_accepted') }}

),

arrivals as (

    select
        *,
        cast(date_trunc('week', first_delivered_on) as date) as week_starts_on
    from {{ ref('int_marking_period_arrivals') }}

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
        using (district_id, district_student_id, school_year, marking_period)
    inner join student_years using (district_id, district_student_id, school_year)
    left join grade_bands using (grade)
    left join thresholds
        on
            grade_bands.grade_band = thresholds.grade_band
            and {{ in_force('thresholds', 'course_marks.school_year') }}
    where arrivals.feed = 'course_marks'
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
        using (district_id, district_student_id, school_year, marking_period)
    where arrivals.feed = 'gpas'

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
        courses.district_id,
        courses.district_student_id,
        weeks.week_starts_on,
        weeks.courses_marked,
        weeks.courses_failed,
        null as marking_period
    from courses
    cross join
        lateral (
            values
            (courses.marked_in_week, 1, 0), (courses.failed_in_week, 0, 1)
        ) as weeks (week_starts_on, courses_marked, courses_failed)
    where weeks.week_starts_on is not null

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
