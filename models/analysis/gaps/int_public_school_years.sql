with

district_years as (

    select * from {{ ref('int_district_years') }}

),

releases as (

    select * from {{ ref('stg_school_year_releases') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- A released year stays public, even when the data of all its districts are purged.
known_years as (

    select school_year from district_years
    union
    select school_year from releases

),

newest_releases as (

    select distinct on (school_year) * from releases
    order by school_year, revision desc

),

-- The running year is not public: its figures change every week, so averaging them
-- would remove the noise.
public_school_years as (

    select
        known_years.school_year,
        coalesce(newest_releases.revision, 0) as revision,
        newest_releases.revision_reason,
        coalesce(newest_releases.is_released, false) as is_released,
        coalesce(newest_releases.released_on, as_of.as_of_date) as released_on
    from known_years
    left join newest_releases using (school_year)
    cross join suppression
    cross join as_of
    where
        make_date(known_years.school_year, 6, 30) + suppression.days_after_school_year
        <= as_of.as_of_date

)

select * from public_school_years
