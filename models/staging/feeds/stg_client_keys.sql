-- No join of codes, so that PostgreSQL reads all keys from the index of raw, in order.
select
    load_id,
    line_number,
    updated_at,
    source_id,
    source_client_id
from {{ source('raw', 'clients') }}
