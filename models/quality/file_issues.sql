with

files as (

    select * from {{ ref('int_file_statuses') }}

),

file_faults as (

    select * from {{ ref('stg_file_faults') }}

),

reason_codes as (

    select * from {{ ref('reason_codes') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by file_id, fault, reason_code, column_name order by line_number
        ) as position
    from file_faults

),

faults as (

    select
        file_id,
        fault,
        reason_code,
        column_name,
        count(*) as occurrences,
        string_agg(cast(line_number as text), ', ' order by line_number) filter (
            where position <= 5
        ) as first_lines,
        min(detail) as detail
    from numbered
    group by file_id, fault, reason_code, column_name
    union all
    select
        file_id,
        'file' as fault,
        reason_code,
        null as column_name,
        1 as occurrences,
        null as first_lines,
        detail
    from files
    where status in ('quarantined', 'held')

),

file_issues as (

    select
        files.partner_id,
        files.contract_object,
        files.as_of_date,
        files.sha256,
        faults.fault,
        faults.reason_code,
        faults.column_name,
        faults.occurrences,
        faults.first_lines,
        faults.detail,
        reason_codes.meaning,
        reason_codes.fixed_by,
        reason_codes.what_to_do,
        files.is_superseded
    from faults
    inner join files on faults.file_id = files.file_id
    left join reason_codes on faults.reason_code = reason_codes.reason_code

)

select * from file_issues
