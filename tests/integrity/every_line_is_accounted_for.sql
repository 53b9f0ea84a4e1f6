/*
What it checks: for every file, the lines of header, blank lines, loaded and rejected
records, records left out by the row filter, and trailer add up to the lines of the
file, and the rejected records are listed.
When it matters: always; a missing line may be a child's lost record.
How to resolve it: the loader is wrong, not the district. Quarantine the file and fix
scripts/outcomes/landing, with a test on a file of that shape.
*/
with

files as (

    select * from {{ source('landing', 'files') }}

),

rejects as (

    select
        file_id,
        count(*) as rows_rejected
    from {{ source('landing', 'rejected_rows') }}
    group by file_id

)

select
    files.file_id,
    files.partner_id,
    files.file_name,
    files.lines,
    files.rows_rejected,
    rejects.rows_rejected as rejects_listed
from files
left join rejects on files.file_id = rejects.file_id
where
    files.status in ('loaded', 'held')
    and (
        files.lines
        <> files.header_lines + files.blank_lines + files.trailer_lines
        + files.lines_loaded + files.lines_rejected + files.lines_filtered_out
        or files.rows_rejected <> coalesce(rejects.rows_rejected, 0)
    )
