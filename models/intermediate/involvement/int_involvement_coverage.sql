with

student_years as (

    select distinct school_year from {{ ref('int_student_years') }}

),

program_codes as (

    select * from {{ ref('program_codes') }}

),

source_coverage as (

    select * from {{ ref('int_source_coverage') }}

),

covered as (

    select distinct
        program_codes.program_group,
        source_coverage.available_since,
        source_coverage.available_until
    from program_codes
    inner join source_coverage using (source_id)

),

-- `any` is covered as soon as one program group is.
involvement_coverage as (

    select
        student_years.school_year,
        coalesce(covered.program_group, 'any') as program_group,
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
    group by
        grouping sets (
            (student_years.school_year, covered.program_group),
            (student_years.school_year)
        )

)

select * from involvement_coverage
