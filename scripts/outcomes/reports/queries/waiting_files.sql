select partner_id, contract_object, as_of_date, status, reason_code
from landing.files
where
    status in ('quarantined', 'held')
    and not exists (
        select from landing.files as later
        where
            later.partner_id = files.partner_id
            and case
                when files.contract_object is null
                    then later.as_of_date > files.as_of_date
                else
                    later.status = 'loaded'
                    and (
                        later.contract_object = files.contract_object
                        or exists (
                            select from landing.replaced_objects as replaced
                            where
                                replaced.partner_id = files.partner_id
                                and replaced.contract_object = later.contract_object
                                and replaced.replaced_object = files.contract_object
                        )
                    )
                    and later.source_id is not distinct from files.source_id
                    and later.school_year is not distinct from files.school_year
                    and (later.as_of_date, later.received_at)
                    > (files.as_of_date, files.received_at)
            end
    )
order by as_of_date, partner_id, contract_object, file_id
