with

student_years as (

    select * from {{ ref('int_student_years') }}

),

bounds as (

    select
        make_date(min(school_year) - 1, 1, 1) as first_day,
        make_date(max(school_year), 12, 31) as last_day
    from student_years

),

days as (

    select cast(numbers.day as date) as date_day
    from bounds
    cross join lateral generate_series(
        bounds.first_day, bounds.last_day, interval '1 day'
    ) as numbers (day)

),

-- A school year is named by its spring, which is six months after July 1.
dates as (

    select
        date_day,
        cast(date_trunc('month', date_day) as date) as month,
        cast(extract(year from date_day + interval '6 months') as integer)
            as school_year
    from days

)

select * from dates
