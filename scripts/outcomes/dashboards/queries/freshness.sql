select
    coalesce(%(names)s ->> partner_id, partner_id) as partner,
    contract_object || coalesce(' of ' || replace(source_id, '_', ' '), '') as file,
    case status
        when 'on_time' then 'as agreed'
        when 'due' then 'due'
        when 'late' then days_late || ' days late'
        when 'never_delivered' then 'never loaded'
        else 'no day agreed'
    end as state,
    coalesce(last_accepted_on::text, 'never') as last_taken,
    coalesce(
        expected_on::text,
        case status when 'never_delivered' then 'not known' else 'no day agreed' end
    ) as next_expected,
    status
from feed_freshness
order by status in ('on_time', 'unscheduled'), 1, 2
