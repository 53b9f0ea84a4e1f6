/*
What it checks: of services and school programs under pseudonyms, analysts see the
month, not the day.
When it matters: always; the day of a placement or a loss of home can identify a child.
How to resolve it: truncate the column in the model of the listed relation.
*/
with

days as (

    select
        'fct_involvements' as relation,
        started_on,
        ended_on
    from {{ ref('pseudonymized_fct_involvements') }}
    union all
    select
        'fct_student_programs' as relation,
        started_on,
        ended_on
    from {{ ref('pseudonymized_fct_student_programs') }}

)

select
    relation,
    count(*) as n_days
from days
where
    extract(day from started_on) <> 1
    or extract(day from ended_on) <> 1
group by relation
