-- What is wrong with records that were well formed, as the sheets of a district's workbook.
with

sheets as (

    select partner_id, 1 as position, 'Unknown codes' as what
    from unmapped_codes
    union all
    select partner_id, 2, 'Incomplete students'
    from incomplete_records
    union all
    select district_id, 3, 'Shared state ids'
    from shared_state_ids
    union all
    select district_id, 4, 'Days not enrolled'
    from attendance_not_enrolled
    union all
    select district_id, 5, 'Attendance gaps'
    from attendance_gaps
)

select
    coalesce(%(names)s ->> partner_id, partner_id) as partner,
    what,
    count(*) as rows_of_the_workbook
from sheets
group by 1, what, position
order by 1, position
