select
    published.as_of_date,
    newest.status,
    newest.as_of_date,
    published.run_id = newest.run_id,
    (select max(as_of_date) from landing.files where status = 'loaded'),
    published.ledger_content is not distinct from landing.content()
    and not exists (select from releases.school_years where released_at is null)
from landing.runs as published
cross join (select * from landing.runs order by run_number desc limit 1) as newest
where published.run_id = landing.published_run()
