select file_id, as_of_date, is_delta, counts_before_join
from landing.files
where
    partner_id = %(partner_id)s
    and contract_object = %(contract_object)s
    and as_of_date <= %(as_of_date)s
    and counts_before_join is not null
    and (status = 'loaded' or (status = 'held' and as_of_date = %(as_of_date)s))
order by as_of_date, sent_at nulls first, received_at, file_id
