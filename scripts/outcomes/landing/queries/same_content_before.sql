select file_name, as_of_date
from landing.files
where
    partner_id = %(partner_id)s
    and contract_object = %(contract_object)s
    and source_id is not distinct from %(source_id)s
    and as_of_date < %(as_of_date)s
    and sha256 = %(sha256)s
order by as_of_date desc
limit 1
