-- How files of an object follow each other, and the feeds that it fills, by the contract with
-- which the file landed.
alter table landing.files
    add column snapshot text,
    add column feeds text [] not null default '{}';

-- The contract of the last landing says it; for an object that it no longer has, the tables that
-- hold its rows.
update landing.files
set snapshot = contract_objects.snapshot, feeds = contract_objects.feeds
from landing.contract_objects
where
    files.partner_id = contract_objects.partner_id
    and files.contract_object = contract_objects.contract_object;
do $$
declare
    feed text;
begin
    for feed in select tablename from pg_tables where schemaname = 'raw' loop
        execute format(
            'update landing.files set feeds = feeds || %L::text, snapshot = case '
            'when school_year is not null then ''school_year'' '
            'when %L = ''intervention_rosters'' then ''cumulative'' else ''delta'' end '
            'where status in (''loaded'', ''held'') and not exists ('
            'select from landing.contract_objects where partner_id = files.partner_id '
            'and contract_object = files.contract_object) '
            'and exists (select from raw.%I where load_id = files.file_id)',
            feed, feed, feed
        );
    end loop;
end
$$;

-- Objects whose snapshots took the place of another object's in a feed: what contracts say, and
-- for an object that a contract no longer has, the one that then filled its feed. Updated with
-- the partners; an entry stays as long as its replaced object is in no contract.
create table landing.replaced_objects (
    partner_id text not null,
    feed text not null,
    contract_object text not null,
    replaced_object text not null,
    primary key (partner_id, feed, contract_object, replaced_object)
);

-- landing.content() when the run began.
alter table landing.runs add column ledger_content text;

-- Every `outcomes weekly`: one that fails in landing makes no run.
create table landing.weeks (
    week_id bigint generated always as identity primary key,
    finished_at timestamptz not null default clock_timestamp(),
    -- 0, 1 if it failed, 3 if somebody has to act
    exit_code smallint not null,
    -- the last step, or the one that failed or waits: land, build, report
    step text not null,
    -- the run that it made, if any
    run_id text
);
