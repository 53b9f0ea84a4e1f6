select
    partner_id,
    load_id,
    line_number,
    school_code,
    school_name
from {{ source('raw', 'schools') }}
