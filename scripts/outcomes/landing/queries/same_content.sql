select file_id, file_name, status, contract_version, reason_code, detail
from landing.files
where
    partner_id = %(partner_id)s
    and as_of_date = %(as_of_date)s
    and sha256 = %(sha256)s
    and (
        %(contract_object)s::text is null
        or (
            contract_object = %(contract_object)s
            and source_id is not distinct from %(source_id)s
        )
    )
order by file_id
