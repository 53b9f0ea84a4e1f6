/*
What it checks: at the current threshold, `match_quality` counts the links of the
crosswalk, and the groups of each kind add up to all of them.
When it matters: always; otherwise bias is measured on other links than those in use.
How to resolve it: look for a decision that `match_quality` leaves out or counts
twice.
*/
with

match_quality as (

    select * from {{ ref('match_quality') }}

),

crosswalk as (

    select * from {{ ref('person_crosswalk') }}

),

in_use as (

    select count(*) as records
    from crosswalk
    where record_type = 'client' and decision = 'link'

)

select
    match_quality.group_type,
    sum(match_quality.linked_records) as counted,
    max(in_use.records) as in_use
from match_quality
cross join in_use
where match_quality.is_in_force
group by match_quality.group_type
having sum(match_quality.linked_records) <> max(in_use.records)
