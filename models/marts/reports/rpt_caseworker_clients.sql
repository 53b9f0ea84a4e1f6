with

caseworker_students as (

    select * from {{ ref('rpt_caseworker_students') }}

),

students as (

    select * from {{ ref('dim_students') }}

),

person_crosswalk as (

    select * from {{ ref('person_crosswalk') }}
    where record_type = 'client' and decision = 'link'

),

responsible_programs as (

    select * from {{ ref('responsible_programs') }}

),

-- Ids of other programs would say that the child receives their services.
caseworker_clients as (

    select
        person_crosswalk.record_id as client_id,
        caseworker_students.student_key,
        caseworker_students.district_id
    from caseworker_students
    inner join students using (student_key)
    inner join person_crosswalk using (person_id)
    where
        split_part(person_crosswalk.record_id, ':', 1) in (
            select responsible_programs.source_id from responsible_programs
        )

)

select * from caseworker_clients
