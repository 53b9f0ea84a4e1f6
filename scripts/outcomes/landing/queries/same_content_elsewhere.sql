select partner_id, as_of_date
from landing.files
where
    sha256 = %(sha256)s
    and partner_id <> %(partner_id)s
    and %(rows_loaded)s + rows_loaded + rows_rejected > 0
order by file_id
limit 1
