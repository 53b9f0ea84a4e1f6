with

snapshots as (

    select * from {{ ref('int_snapshot_comparisons') }}

),

roster_changes as (

    select * from {{ ref('int_roster_changes') }}

),

partners as (

    select * from {{ ref('stg_partners') }}

),

contract_feeds as (

    select * from {{ ref('stg_contract_feeds') }}

),

feed_growth_limits as (

    select * from {{ ref('feed_growth_limits') }}

),

-- An object that fills several feeds has the strictest of their limits.
growth_limits as (

    select
        contract_feeds.partner_id,
        contract_feeds.contract_object,
        min(feed_growth_limits.max_growth_share) as max_growth_share,
        bool_or(contract_feeds.feed = 'students') as lists_students
    from contract_feeds
    left join feed_growth_limits using (feed)
    group by contract_feeds.partner_id, contract_feeds.contract_object

),

students_changed as (

    select
        file_id,
        count(*) filter (where change = 'appeared') as students_appeared,
        count(*) filter (where change = 'vanished') as students_vanished
    from roster_changes
    group by file_id

),

feed_volumes as (

    select
        snapshots.partner_id,
        snapshots.contract_object,
        snapshots.source_id,
        snapshots.school_year,
        snapshots.as_of_date,
        snapshots.sha256,
        snapshots.status,
        snapshots.rows_delivered,
        snapshots.previous_as_of_date,
        snapshots.previous_rows,
        snapshots.rows_delivered - snapshots.previous_rows as rows_changed,
        cast(
            (snapshots.rows_delivered - snapshots.previous_rows)
            / nullif(cast(snapshots.previous_rows as numeric), 0) as numeric(12, 4)
        ) as share_changed,
        snapshots.mean_rows_before,
        case
            when
                growth_limits.lists_students
                and snapshots.previous_as_of_date is not null
                then coalesce(students_changed.students_appeared, 0)
        end as students_appeared,
        case
            when
                growth_limits.lists_students
                and snapshots.previous_as_of_date is not null
                then coalesce(students_changed.students_vanished, 0)
        end as students_vanished,
        coalesce(
            snapshots.rows_delivered
            < snapshots.previous_rows * (1 - partners.max_shrink_share),
            false
        ) as is_shrunken,
        coalesce(
            snapshots.rows_delivered
            > snapshots.mean_rows_before * (1 + growth_limits.max_growth_share),
            false
        ) as is_swollen
    from snapshots
    inner join partners using (partner_id)
    left join growth_limits using (partner_id, contract_object)
    left join students_changed using (file_id)

)

select * from feed_volumes
