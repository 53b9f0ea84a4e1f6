with

faults as (

    select * from {{ ref('stg_file_faults') }}

),

files as (

    select * from {{ ref('stg_files') }}

),

known_faults as (

    select faults.*
    from faults
    inner join files using (file_id)

)

select * from known_faults
