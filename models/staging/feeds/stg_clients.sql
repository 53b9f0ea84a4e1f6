select
    clients.load_id,
    clients.line_number,
    clients.updated_at,
    clients.as_of_date,
    nullif(clients.birth_date, date '1900-01-01') as birth_date,
    clients.is_deleted,
    clients.partner_id,
    clients.source_id,
    clients.source_client_id,
    clients.mci_id,
    clients.last_name,
    clients.first_name,
    clients.middle_name,
    clients.suffix,
    nullif(genders.code, 'unknown') as gender,
    clients.ssn,
    clients.street,
    clients.city,
    clients.zip
from {{ source('raw', 'clients') }} as clients
{{ join_meaning('genders', 'gender', 'clients', 'sex') }}
