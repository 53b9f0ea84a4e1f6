update landing.files
set released_at = %(released_at)s, release_reason = %(release_reason)s
where
    partner_id = %(partner_id)s
    and as_of_date = %(as_of_date)s
    and file_name = %(file_name)s
    and sha256 = %(sha256)s
    and status in ('loaded', 'held')
returning partner_id, contract_object, source_id, school_year
