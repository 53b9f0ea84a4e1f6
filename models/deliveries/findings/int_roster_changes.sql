with

snapshots as (

    select * from {{ ref('int_snapshot_comparisons') }}
    where previous_file_id is not null

),

student_listings as (

    select * from {{ ref('int_student_listings') }}

),

appeared as (

    select
        snapshots.file_id,
        student_listings.district_student_id,
        'appeared' as change
    from snapshots
    inner join student_listings on snapshots.file_id = student_listings.load_id
    left join student_listings as before
        on
            snapshots.previous_file_id = before.load_id
            and student_listings.district_student_id = before.district_student_id
    where before.load_id is null

),

vanished as (

    select
        snapshots.file_id,
        before.district_student_id,
        'vanished' as change
    from snapshots
    inner join student_listings as before
        on snapshots.previous_file_id = before.load_id
    left join student_listings
        on
            snapshots.file_id = student_listings.load_id
            and before.district_student_id = student_listings.district_student_id
    where student_listings.load_id is null

),

roster_changes as (

    select * from appeared
    union all
    select * from vanished

)

select * from roster_changes
