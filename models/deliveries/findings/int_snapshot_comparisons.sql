with

files as (

    select * from {{ ref('int_file_statuses') }}

),

contract_objects as (

    select * from {{ ref('stg_contract_objects') }}

),

snapshots as (

    select files.*
    from files
    inner join contract_objects using (partner_id, contract_object)
    where
        files.status in ('loaded', 'held')
        and contract_objects.snapshot in ('school_year', 'cumulative')

),

-- If a snapshot was sent again on the same day, only the last one counts.
accepted as (

    select distinct on (
        partner_id, contract_object, source_id, school_year, as_of_date
    ) snapshots.*
    from snapshots
    where status = 'loaded'
    order by
        partner_id,
        contract_object,
        source_id,
        school_year,
        as_of_date,
        sent_at desc nulls last,
        file_id desc

),

earlier as (

    select
        snapshots.file_id,
        accepted.file_id as earlier_file_id,
        accepted.as_of_date,
        accepted.rows_loaded,
        row_number() over (
            partition by snapshots.file_id order by accepted.as_of_date desc
        ) as recency
    from snapshots
    inner join accepted
        on
            snapshots.partner_id = accepted.partner_id
            and snapshots.contract_object = accepted.contract_object
            and snapshots.source_id is not distinct from accepted.source_id
            and snapshots.school_year is not distinct from accepted.school_year
            and snapshots.as_of_date > accepted.as_of_date

),

previous as (

    select
        file_id,
        max(earlier_file_id) filter (where recency = 1) as previous_file_id,
        max(as_of_date) filter (where recency = 1) as previous_as_of_date,
        max(rows_loaded) filter (where recency = 1) as previous_rows,
        cast(avg(rows_loaded) as numeric(14, 1)) as mean_rows_before
    from earlier
    where recency <= 4
    group by file_id

),

snapshot_comparisons as (

    select
        snapshots.file_id,
        snapshots.partner_id,
        snapshots.contract_object,
        snapshots.source_id,
        snapshots.school_year,
        snapshots.as_of_date,
        snapshots.sha256,
        snapshots.status,
        snapshots.rows_loaded as rows_delivered,
        previous.previous_file_id,
        previous.previous_as_of_date,
        previous.previous_rows,
        previous.mean_rows_before,
        row_number() over (
            partition by
                snapshots.partner_id, snapshots.contract_object, snapshots.source_id
            order by
                snapshots.as_of_date desc,
                snapshots.sent_at desc nulls last,
                snapshots.file_id desc
        ) = 1 as is_newest
    from snapshots
    left join previous using (file_id)

)

select * from snapshot_comparisons
