with

student_versions as (

    select * from {{ ref('int_student_versions') }}
    where state_student_id is not null

),

newest as (

    select distinct on (district_id, state_student_id, district_student_id)
        district_id,
        state_student_id,
        district_student_id,
        lower(first_name || ' ' || last_name) as full_name,
        birth_date,
        last_as_of_date
    from student_versions
    order by
        district_id,
        state_student_id,
        district_student_id,
        last_as_of_date desc,
        first_as_of_date desc

),

shared as (

    select
        district_id,
        state_student_id,
        string_agg(
            district_student_id, ', ' order by district_student_id
        ) as district_student_ids,
        count(distinct full_name) > 1 as names_differ,
        count(distinct birth_date) > 1 as birth_dates_differ,
        max(last_as_of_date) as last_as_of_date
    from newest
    group by district_id, state_student_id
    having count(*) > 1

),

-- The same child under a new district id is no error.
shared_state_ids as (

    select * from shared
    where names_differ or birth_dates_differ

)

select * from shared_state_ids
