-- The only model that reads the list of files from the ledger, and a table: all that
-- follows takes its rows of raw from the files listed here. A file that lands while a
-- build runs is in none of its models.
with

files as (

    select * from {{ source('landing', 'files') }}
    {% if var('as_of') %}
    where as_of_date <= date '{{ var("as_of") }}'
    {% endif %}

),

contract_objects as (

    select * from {{ source('landing', 'contract_objects') }}

),

followed as (

    select
        files.*,
        count(*) filter (where files.status = 'loaded') over (
            partition by
                files.partner_id,
                files.contract_object,
                files.source_id,
                files.school_year
            order by
                files.as_of_date,
                files.sent_at nulls first,
                files.received_at,
                files.file_id
            rows between 1 following and unbounded following
        ) as later_accepted_files,
        max(files.as_of_date) over (partition by files.partner_id) as newest_as_of_date
    from files

),

-- A snapshot is replaced by the next accepted one. Of deltas and test results all that
-- loaded counts for good. What fits no object is replaced by the next delivery.
known_files as (

    select
        followed.file_id,
        followed.partner_id,
        followed.contract_object,
        followed.source_id,
        followed.school_year,
        followed.as_of_date,
        followed.sent_at,
        followed.received_at,
        followed.file_name,
        followed.sha256,
        followed.duplicate_of,
        followed.status,
        followed.reason_code,
        followed.detail,
        followed.lines,
        -- A file of changes puts the whole snapshot into raw that it leads to.
        coalesce(followed.rows_in_snapshot, followed.rows_loaded) as rows_loaded,
        followed.rows_rejected,
        case
            when followed.contract_object is null
                then followed.as_of_date < followed.newest_as_of_date
            when
                followed.status = 'loaded'
                and contract_objects.snapshot in ('delta', 'exempt')
                then false
            else followed.later_accepted_files > 0
        end as is_superseded
    from followed
    left join contract_objects
        on
            followed.partner_id = contract_objects.partner_id
            and followed.contract_object = contract_objects.contract_object

)

select * from known_files
