with

student_years as (

    select distinct school_year from {{ ref('int_student_years') }}

),

program_codes as (

    select * from {{ ref('program_codes') }}

),

client_sources as (

    select * from {{ ref('client_sources') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- A source is complete up to the as-of date minus its lag.
covered as (

    select distinct
        program_codes.program_group,
        client_sources.available_since,
        as_of.as_of_date - client_sources.lag_days as available_until
    from program_codes
    inner join client_sources using (source_id)
    cross join as_of

),

involvement_coverage as (

    select
        student_years.school_year,
        covered.program_group,
        bool_or(covered.available_since <= covered.available_until) as is_ever_covered,
        bool_or(
            covered.available_since <= covered.available_until
            and covered.available_since
            <= make_date(student_years.school_year - 1, 6, 30)
            and covered.available_until
            >= make_date(student_years.school_year - 2, 7, 1)
        ) as is_prior_year_covered,
        bool_or(
            covered.available_since <= covered.available_until
            and covered.available_since <= make_date(student_years.school_year, 6, 30)
            and covered.available_until
            >= make_date(student_years.school_year - 1, 7, 1)
        ) as is_concurrent_covered
    from student_years
    cross join covered
    group by student_years.school_year, covered.program_group

)

select * from involvement_coverage
