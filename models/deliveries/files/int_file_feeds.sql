with

ledger as (

    select * from {{ source('landing', 'files') }}

),

files as (

    select * from {{ ref('int_file_statuses') }}

),

file_feeds as (

    select
        files.file_id,
        filled.feed
    from files
    inner join ledger using (file_id)
    cross join lateral unnest(ledger.feeds) as filled (feed)

)

select * from file_feeds
