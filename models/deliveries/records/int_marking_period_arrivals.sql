with

gpas as (

    select * from {{ ref('stg_gpas') }}

),

course_marks as (

    select * from {{ ref('stg_course_marks') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- Grades have no date of their own, so they count as known from their first delivery.
deliveries_of_the_year as (

    select
        deliveries.load_id,
        deliveries.school_year,
        deliveries.as_of_date
    from deliveries
    inner join as_of using (school_year)

),

delivered as (

    select
        'gpas' as feed,
        gpas.partner_id as district_id,
        student_ids.district_student_id,
        gpas.school_year,
        gpas.marking_period,
        deliveries_of_the_year.as_of_date
    from gpas
    inner join deliveries_of_the_year
        on
            gpas.load_id = deliveries_of_the_year.load_id
            and gpas.school_year = deliveries_of_the_year.school_year
    {{ join_student_ids('gpas') }}
    union all
    select
        'course_marks' as feed,
        course_marks.partner_id as district_id,
        course_marks.district_student_id,
        course_marks.school_year,
        course_marks.marking_period,
        deliveries_of_the_year.as_of_date
    from course_marks
    inner join deliveries_of_the_year using (load_id, school_year)
    inner join student_ids
        on
            course_marks.partner_id = student_ids.district_id
            and course_marks.district_student_id = student_ids.student_id
            and not student_ids.is_state_id

),

first_deliveries as (

    select
        feed,
        district_id,
        district_student_id,
        school_year,
        marking_period,
        min(as_of_date) as first_delivered_on
    from delivered
    group by feed, district_id, district_student_id, school_year, marking_period

)

select * from first_deliveries
