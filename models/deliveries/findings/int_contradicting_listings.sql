with

students as (

    select * from {{ ref('stg_students') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'students'

),

-- A student with several spells has several lines, all of the same child.
contradicting_listings as (

    select
        'different_children' as reason_code,
        snapshots.partner_id,
        snapshots.contract_object,
        snapshots.school_year,
        students.district_student_id as record_id,
        snapshots.as_of_date,
        count(*) as rows_affected,
        null as missing_from
    from students
    inner join snapshots using (load_id)
    where students.district_student_id is not null
    group by
        snapshots.partner_id,
        snapshots.contract_object,
        snapshots.school_year,
        snapshots.as_of_date,
        students.district_student_id
    having
        count(distinct lower(students.last_name)) > 1
        or count(distinct lower(students.first_name)) > 1
        or count(distinct students.birth_date) > 1

)

select * from contradicting_listings
