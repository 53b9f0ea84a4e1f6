with

files as (

    select * from {{ ref('stg_files') }}

),

rival_objects as (

    select * from {{ ref('int_rival_objects') }}

),

ordered_files as (

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
        max(files.as_of_date) filter (
            where files.reason_code is distinct from 'date_in_the_future'
        ) over (partition by files.partner_id) as newest_as_of_date,
        max(files.received_at) filter (where files.status = 'loaded') over (
            partition by files.partner_id
        ) as last_accepted_at
    from files

),

-- By a snapshot of an object that took the place of the file's.
superseded_by_rivals as (

    select distinct files.file_id
    from files
    inner join rival_objects
        on
            files.partner_id = rival_objects.partner_id
            and files.contract_object = rival_objects.contract_object
            and rival_objects.feed = any(files.feeds)
    inner join files as rivals
        on
            files.partner_id = rivals.partner_id
            and rival_objects.rival_object = rivals.contract_object
            and rival_objects.feed = any(rivals.feeds)
            and {{ same_or_any('files.source_id', 'rivals.source_id') }}
            and {{ same_or_any('files.school_year', 'rivals.school_year') }}
            and (
                files.as_of_date < rivals.as_of_date
                or (
                    files.as_of_date = rivals.as_of_date
                    and rival_objects.rival_wins_a_tie
                )
            )
    where rivals.status = 'loaded'

),

-- The next accepted snapshot supersedes a snapshot. A loaded delta or file of test
-- results is never superseded. Any later delivery supersedes a file that fits no
-- object. A day in the future may never come, if it was a mistake: there the next
-- landing counts, for a landing takes hours at most.
known_files as (

    select
        ordered_files.file_id,
        ordered_files.partner_id,
        ordered_files.contract_object,
        ordered_files.source_id,
        ordered_files.school_year,
        ordered_files.as_of_date,
        ordered_files.sent_at,
        ordered_files.received_at,
        ordered_files.file_name,
        ordered_files.sha256,
        ordered_files.duplicate_of,
        ordered_files.status,
        ordered_files.reason_code,
        ordered_files.detail,
        -- Applying a file of changes writes the complete new snapshot into raw.
        coalesce(ordered_files.rows_in_snapshot, ordered_files.rows_loaded)
            as rows_loaded,
        ordered_files.rows_rejected,
        case
            when ordered_files.reason_code = 'date_in_the_future'
                then coalesce(
                    ordered_files.received_at + interval '12 hours'
                    < ordered_files.last_accepted_at,
                    false
                )
            when ordered_files.contract_object is null
                then ordered_files.as_of_date < ordered_files.newest_as_of_date
            when
                ordered_files.status = 'loaded'
                and ordered_files.snapshot in ('delta', 'exempt')
                then false
            else
                ordered_files.later_accepted_files > 0
                or superseded_by_rivals.file_id is not null
        end as is_superseded
    from ordered_files
    left join superseded_by_rivals using (file_id)

)

select * from known_files
