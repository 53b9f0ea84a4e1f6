-- The rule of int_file_statuses, which knows only the files of the last build.
select
    file_id,
    partner_id,
    contract_object,
    as_of_date,
    status,
    reason_code
from landing.files
where
    status in ('quarantined', 'held')
    and not exists (
        select from landing.files as later
        where
            later.partner_id = files.partner_id
            and case
                when files.reason_code = 'date_in_the_future'
                    then
                        later.status = 'loaded'
                        and later.received_at > files.received_at + interval '12 hours'
                when files.contract_object is null
                    then
                        later.as_of_date > files.as_of_date
                        and later.reason_code is distinct from 'date_in_the_future'
                when later.contract_object = files.contract_object
                    then
                        later.status = 'loaded'
                        and later.source_id is not distinct from files.source_id
                        and later.school_year is not distinct from files.school_year
                        and (
                            later.as_of_date,
                            coalesce(later.sent_at, '-infinity'),
                            later.received_at,
                            later.file_id
                        )
                        > (
                            files.as_of_date,
                            coalesce(files.sent_at, '-infinity'),
                            files.received_at,
                            files.file_id
                        )
                else
                    later.status = 'loaded'
                    and coalesce(later.source_id = files.source_id, true)
                    and coalesce(later.school_year = files.school_year, true)
                    and exists (
                        select from landing.replaced_objects as replaced
                        where
                            replaced.partner_id = files.partner_id
                            and replaced.feed = any(files.feeds)
                            and replaced.feed = any(later.feeds)
                            and (
                                (
                                    replaced.contract_object = later.contract_object
                                    and replaced.replaced_object = files.contract_object
                                    and later.as_of_date >= files.as_of_date
                                )
                                -- The old object's file came back.
                                or (
                                    replaced.contract_object = files.contract_object
                                    and replaced.replaced_object = later.contract_object
                                    and later.as_of_date > files.as_of_date
                                )
                            )
                    )
            end
    )
order by as_of_date, partner_id, contract_object, file_id
