{{ config(materialized='view') }}

select
    file_id,
    'row' as fault,
    line_start as line_number,
    reason_code,
    column_name,
    detail
from {{ source('landing', 'rejected_rows') }}
union all
select
    file_id,
    'value' as fault,
    line_number,
    reason_code,
    column_name,
    detail
from {{ source('landing', 'value_issues') }}
