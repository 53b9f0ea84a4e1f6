select
    file_id,
    contract_object,
    source_id,
    school_year,
    file_name,
    as_of_date,
    feeds,
    coalesce(rows_in_snapshot, rows_loaded) as rows_loaded,
    status,
    released_at is not null as is_released
from landing.files
where
    partner_id = %(partner_id)s
    and status in ('loaded', 'held')
    and contract_object = any(%(objects)s)
    and snapshot in ('school_year', 'cumulative')
    and (
        cardinality(%(objects)s) > 1
        or (
            source_id is not distinct from %(source_id)s
            and school_year is not distinct from %(school_year)s
        )
    )
order by as_of_date, sent_at nulls first, received_at, file_id
