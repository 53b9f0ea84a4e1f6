with

withheld_gaps as (

    select * from {{ source('landing', 'withheld_gaps') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

withheld_now as (

    select
        withheld_gaps.school_year,
        withheld_gaps.district_id,
        withheld_gaps.group_type,
        withheld_gaps.group_value,
        withheld_gaps.program_group,
        withheld_gaps.involvement,
        withheld_gaps.measure
    from withheld_gaps
    inner join as_of on withheld_gaps.as_of_date = as_of.as_of_date

)

select * from withheld_now
