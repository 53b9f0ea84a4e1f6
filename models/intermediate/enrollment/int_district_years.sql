-- Districts deliver on different days, so each knows the school year up to its own.
with

student_years as (

    select * from {{ ref('int_student_years') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

newest_deliveries as (

    select
        partner_id as district_id,
        max(as_of_date) as delivered_on
    from deliveries
    group by partner_id

),

school_years as (

    select distinct
        district_id,
        school_year
    from student_years

),

known_districts as (

    select
        school_years.district_id,
        school_years.school_year,
        least(
            newest_deliveries.delivered_on, make_date(school_years.school_year, 6, 30)
        ) as known_through
    from school_years
    inner join newest_deliveries using (district_id)

),

-- `all` is known up to the earliest day of any district.
all_known_years as (

    select * from known_districts
    union all
    select
        'all' as district_id,
        school_year,
        min(known_through) as known_through
    from known_districts
    group by school_year

),

district_years as (

    select
        district_id,
        school_year,
        known_through,
        known_through = make_date(school_year, 6, 30) as is_complete_year
    from all_known_years

)

select * from district_years
