with

snapshots as (

    select * from {{ ref('int_snapshot_comparisons') }}
    where is_newest

),

roster_changes as (

    select * from {{ ref('int_roster_changes') }}

),

changed_students as (

    select
        snapshots.partner_id as district_id,
        snapshots.contract_object,
        roster_changes.district_student_id,
        roster_changes.change,
        snapshots.as_of_date,
        snapshots.previous_as_of_date
    from snapshots
    inner join roster_changes using (file_id)

)

select * from changed_students
