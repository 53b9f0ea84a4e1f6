-- A roster or a calendar may stay as it is for a week, a delivery of several files hardly does.
with newest as (
    select
        files.*,
        exists (
            select from landing.files as earlier
            where
                earlier.partner_id = files.partner_id
                and earlier.contract_object = files.contract_object
                and earlier.source_id is not distinct from files.source_id
                and earlier.sha256 = files.sha256
                and earlier.status = 'loaded'
                and earlier.as_of_date < files.as_of_date
        ) as is_repeated
    from landing.files
    where
        status <> 'duplicate'
        and as_of_date = (
            select max(as_of_date) from landing.files as others
            where others.partner_id = files.partner_id and others.status = 'loaded'
        )
)

select partner_id, as_of_date
from newest
group by partner_id, as_of_date
having count(*) > 1 and bool_and(is_repeated)
order by partner_id
