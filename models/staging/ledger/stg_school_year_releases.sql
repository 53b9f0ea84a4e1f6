with

school_years as (

    select * from {{ source('releases', 'school_years') }}

),

school_year_releases as (

    select
        school_year,
        revision,
        reason as revision_reason,
        as_of_date as released_on,
        released_at is not null as is_released
    from school_years

)

select * from school_year_releases
