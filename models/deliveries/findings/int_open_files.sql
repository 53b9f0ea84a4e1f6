with

files as (

    select * from {{ ref('int_file_statuses') }}
    where not is_superseded

),

reason_codes as (

    select * from {{ ref('reason_codes') }}

),

open_files as (

    select
        files.file_id,
        files.partner_id,
        files.file_name,
        files.as_of_date,
        files.contract_object,
        case files.status when 'quarantined' then 'not loaded' else files.status end
            as state,
        files.rows_loaded,
        files.rows_rejected,
        files.detail,
        coalesce(reason_codes.meaning, files.reason_code) as meaning,
        reason_codes.what_to_do
    from files
    left join reason_codes using (reason_code)

)

select * from open_files
