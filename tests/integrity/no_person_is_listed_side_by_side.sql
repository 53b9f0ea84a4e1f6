/*
What it checks: no person has two student records that one district lists on the same
day, unless a reviewer linked them.
When it matters: always; one child would get another child's history.
How to resolve it: find the link in `int_identity_student_decisions`, then the rule in
`int_identity_persons` that should have removed it.
*/
{{ config(group='linking') }}

with

persons as (

    select * from {{ ref('int_identity_persons') }}

),

memberships as (

    select * from {{ ref('int_identity_memberships') }}

)

select
    persons.person_id,
    persons.district_id
from persons
inner join persons as others
    on
        persons.person_id = others.person_id
        and persons.district_id = others.district_id
        and persons.student_key < others.student_key
        and persons.reviewed_cluster_key <> others.reviewed_cluster_key
inner join memberships on persons.student_key = memberships.student_key
inner join memberships as other_memberships
    on
        others.student_key = other_memberships.student_key
        and memberships.listed_days && other_memberships.listed_days
