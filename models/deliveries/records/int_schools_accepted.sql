with

schools as (

    select * from {{ ref('stg_schools') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'schools'

),

named_schools as (

    select distinct on (schools.partner_id, schools.school_code)
        schools.partner_id as district_id,
        schools.school_code,
        schools.school_name,
        snapshots.as_of_date
    from schools
    inner join snapshots using (load_id)
    where schools.school_name is not null
    order by
        schools.partner_id,
        schools.school_code,
        snapshots.as_of_date desc,
        schools.line_number desc

)

select * from named_schools
