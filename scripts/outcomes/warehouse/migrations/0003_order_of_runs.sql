-- Runs are ordered by a number: a clock that was ahead would put a run after all later ones.
alter table landing.runs add column run_number bigint;
update landing.runs
set run_number = numbered.place
from (
    select run_id, row_number() over (order by started_at, run_id) as place from landing.runs
) as numbered
where runs.run_id = numbered.run_id;
alter table landing.runs alter column run_number set not null;
alter table landing.runs
    alter column run_number add generated always as identity,
    add constraint runs_run_number_key unique (run_number);
select setval(
    pg_get_serial_sequence('landing.runs', 'run_number'),
    (select coalesce(max(run_number), 0) + 1 from landing.runs),
    false
);
