with

attendance_not_enrolled as (

    select * from {{ ref('attendance_not_enrolled') }}

),

attendance_outside_enrollment as (

    select
        district_id,
        school_year,
        cast(sum(rows_affected) as bigint) as rows_affected,
        count(*) as students
    from attendance_not_enrolled
    group by district_id, school_year

)

select * from attendance_outside_enrollment
