select
    partner_id,
    contract_object,
    source_id,
    expected_on,
    %(as_of)s - (expected_on + latency_days) as days_late
from quality.feed_freshness as feeds
inner join landing.partners using (partner_id)
where
    expected_on + latency_days < %(as_of)s
    and not exists (
        select from landing.files
        where
            files.partner_id = feeds.partner_id
            and files.contract_object = feeds.contract_object
            and files.source_id is not distinct from feeds.source_id
            and files.status in ('loaded', 'duplicate')
            and files.as_of_date > feeds.last_accepted_on
    )
order by partner_id, expected_on, contract_object, source_id
