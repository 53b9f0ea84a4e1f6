with

unlisted_students as (

    select * from {{ ref('stg_unlisted_students') }}

),

unknown_students as (

    select
        district_id,
        feed,
        school_year,
        count(*) as students,
        cast(sum(rows_affected) as bigint) as rows_affected
    from unlisted_students
    group by district_id, feed, school_year

)

select * from unknown_students
