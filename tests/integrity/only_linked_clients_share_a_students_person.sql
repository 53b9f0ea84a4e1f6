/*
What it checks: a client record has a student's person if and only if its decision is
`link`.
When it matters: always; involvement counts the linked records of a person.
How to resolve it: look at how `person_crosswalk` names the persons of unlinked clients.
*/
with

crosswalk as (

    select * from {{ ref('person_crosswalk') }}

),

student_persons as (

    select distinct person_id
    from crosswalk
    where record_type = 'student'

)

select
    crosswalk.decision,
    count(*) as records
from crosswalk
left join student_persons on crosswalk.person_id = student_persons.person_id
where
    crosswalk.record_type = 'client'
    and (crosswalk.decision = 'link') <> (student_persons.person_id is not null)
group by crosswalk.decision
