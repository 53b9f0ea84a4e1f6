with

assessments as (

    select * from {{ ref('stg_assessments') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

results as (

    select
        assessments.partner_id as district_id,
        student_ids.district_student_id,
        assessments.test_year,
        assessments.grade,
        assessments.test,
        assessments.subject,
        assessments.scaled_score,
        assessments.level,
        deliveries.as_of_date,
        deliveries.delivery_number,
        assessments.line_number
    from assessments
    inner join deliveries on assessments.load_id = deliveries.load_id
    {{ join_student_ids('assessments') }}

),

-- Each result names its own year, so every delivery counts and the newest one wins.
-- Results of an unmapped subject are dropped.
newest_results as (

    select distinct on (district_id, district_student_id, test_year, test, subject)
        district_id,
        district_student_id,
        test_year,
        grade,
        test,
        subject,
        scaled_score,
        level
    from results
    where subject is not null
    order by
        district_id,
        district_student_id,
        test_year,
        test,
        subject,
        as_of_date desc,
        delivery_number desc,
        line_number desc

)

select * from newest_results
