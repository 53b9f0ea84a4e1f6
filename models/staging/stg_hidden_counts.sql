with

hidden_counts as (

    select * from {{ source('landing', 'hidden_counts') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

-- The day itself is published anew by every build of it.
newest_before as (

    select distinct on (
        hidden_counts.school_year,
        hidden_counts.district_id,
        hidden_counts.group_type,
        hidden_counts.group_value,
        hidden_counts.program_group,
        hidden_counts.involvement,
        hidden_counts.measure
    )
        hidden_counts.school_year,
        hidden_counts.district_id,
        hidden_counts.group_type,
        hidden_counts.group_value,
        hidden_counts.program_group,
        hidden_counts.involvement,
        hidden_counts.measure,
        hidden_counts.n_involved,
        hidden_counts.x_involved
    from hidden_counts
    inner join as_of on hidden_counts.as_of_date < as_of.as_of_date
    order by
        hidden_counts.school_year,
        hidden_counts.district_id,
        hidden_counts.group_type,
        hidden_counts.group_value,
        hidden_counts.program_group,
        hidden_counts.involvement,
        hidden_counts.measure,
        hidden_counts.as_of_date desc

)

select * from newest_before
