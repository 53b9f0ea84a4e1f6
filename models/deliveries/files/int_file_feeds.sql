with

files as (

    select * from {{ ref('stg_files') }}

),

file_feeds as (

    select
        files.file_id,
        filled.feed
    from files
    cross join lateral unnest(files.feeds) as filled (feed)

)

select * from file_feeds
