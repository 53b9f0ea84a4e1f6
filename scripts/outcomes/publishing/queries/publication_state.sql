select
    published.as_of_date,
    newest.status,
    newest.as_of_date,
    published.run_id = newest.run_id,
    (select max(as_of_date) from landing.files where status = 'loaded'),
    published.ledger_content is not distinct from publishing.ledger_content()
    and not exists (select from releases.school_years where released_at is null)
from publishing.runs as published
cross join (select * from publishing.runs order by run_number desc limit 1) as newest
where published.run_id = publishing.published_run()
