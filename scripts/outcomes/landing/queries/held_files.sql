select file_id, as_of_date, partner_id, contract_object, source_id, school_year
from landing.files
where
    status = 'held'
    and file_name = %(file_name)s
    and (%(as_of_date)s::date is null or as_of_date = %(as_of_date)s)
order by as_of_date, file_id
