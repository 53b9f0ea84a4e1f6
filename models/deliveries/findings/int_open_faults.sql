with

open_files as (

    select * from {{ ref('int_open_files') }}

),

file_faults as (

    select * from {{ ref('stg_file_faults') }}

),

reason_codes as (

    select * from {{ ref('reason_codes') }}

),

open_faults as (

    select
        open_files.partner_id,
        open_files.file_name,
        open_files.as_of_date,
        file_faults.fault,
        file_faults.line_number,
        file_faults.column_name,
        file_faults.detail,
        coalesce(reason_codes.meaning, file_faults.reason_code) as meaning,
        reason_codes.what_to_do
    from file_faults
    inner join open_files using (file_id)
    left join reason_codes using (reason_code)

)

select * from open_faults
