-- The ledger: what was delivered, what was made of it, and what was wrong.
-- Idempotent; applied by `outcomes warehouse start` and `outcomes land`.

create schema if not exists landing;
create schema if not exists raw;

-- Linking compares names by sound (dmetaphone) and by edits (levenshtein).
create extension if not exists fuzzystrmatch;

create table if not exists landing.files (
    file_id bigint generated always as identity primary key,
    partner_id text not null,
    -- the object of the contract that the file was read as; null when none fitted
    contract_object text,
    -- which of several systems sharing the object sent it, where the file's name says so
    source_id text,
    contract_version text,
    -- an archive's member or a workbook's sheet is a file of its own: archive/member
    file_name text not null,
    -- of the content, after unpacking
    sha256 text not null,
    as_of_date date not null,
    school_year integer,
    -- the time that the partner put into the file's name, to order re-sent files of a day
    sent_at timestamp,
    received_at timestamptz not null default clock_timestamp(),
    status text not null
        check (status in ('loaded', 'quarantined', 'duplicate', 'held')),
    reason_code text,
    -- for people: what was expected, what was found; on a loaded file a warning, such as
    -- a column that was kept out; never a person's data
    detail text,
    -- of a held snapshot that a person let through
    released_at timestamptz,
    release_reason text,
    -- of a duplicate: the file that carries the same content
    duplicate_of bigint references landing.files,
    -- Physical lines (rows of a sheet) and what became of each. Of a file that did not
    -- load, all count as rejected; of a duplicate none was read.
    lines bigint not null default 0,
    header_lines bigint not null default 0,
    blank_lines bigint not null default 0,
    trailer_lines bigint not null default 0,
    rows_loaded bigint not null default 0,
    rows_rejected bigint not null default 0,
    lines_loaded bigint not null default 0,
    lines_rejected bigint not null default 0,
    -- of others, whom the contract filters out: neither stored nor a fault
    rows_not_for_us bigint not null default 0,
    lines_not_for_us bigint not null default 0,
    -- of a file that is joined with others: whether it holds changes only, its counts before
    -- the join, and how many rows it makes with what came before
    is_delta boolean,
    counts_before_join jsonb,
    rows_in_snapshot bigint,
    check ((status = 'loaded') = (reason_code is null)),
    check (
        lines = header_lines + blank_lines + trailer_lines
        + lines_loaded + lines_rejected + lines_not_for_us
    ),
    check ((status = 'duplicate') = (duplicate_of is not null))
);

-- One load per content, delivery and object; a second loader finds this and steps back.
create unique index if not exists files_content
on landing.files (partner_id, contract_object, source_id, as_of_date, sha256) nulls not distinct
where status <> 'duplicate';

create table if not exists landing.rejected_rows (
    file_id bigint not null references landing.files on delete cascade,
    line_start bigint not null,
    line_end bigint not null,
    reason_code text not null,
    column_name text,
    detail text,
    -- found when the file was joined with others
    is_of_join boolean not null default false
);

create index if not exists rejected_rows_file on landing.rejected_rows (file_id);

-- Values of optional columns that were broken and became null; the row itself loaded.
create table if not exists landing.value_issues (
    file_id bigint not null references landing.files on delete cascade,
    line_number bigint not null,
    reason_code text not null,
    column_name text not null,
    detail text,
    is_of_join boolean not null default false
);

create index if not exists value_issues_file on landing.value_issues (file_id);

-- The rows of files that are joined with others, every value as text: a later file of changes
-- is laid over them. The rows that follow are in raw, as of any other file.
create table if not exists landing.joined_rows (
    file_id bigint not null references landing.files on delete cascade,
    line_number bigint not null,
    line_end bigint not null,
    content jsonb not null,
    primary key (file_id, line_number)
);

-- Takes back what was made of a joined file, to make it anew: a file of an earlier delivery
-- came late. Landing has no right to delete rows otherwise.
create or replace function landing.take_back_joined(joined_file bigint) returns void
language plpgsql security definer set search_path = '' as $$
declare
    feed text;
begin
    for feed in select tablename from pg_catalog.pg_tables where schemaname = 'raw' loop
        execute format(
            'delete from raw.%I where load_id = $1 and exists ('
            'select from landing.joined_rows where file_id = $1)', feed
        ) using joined_file;
    end loop;
    delete from landing.value_issues where file_id = joined_file and is_of_join;
    delete from landing.rejected_rows where file_id = joined_file and is_of_join;
end
$$;
-- It deletes with its owner's rights: only landing may call it.
revoke execute on function landing.take_back_joined (bigint) from public;

-- What the contracts say about each partner, renewed by every `outcomes land`.
create table if not exists landing.partners (
    partner_id text primary key,
    partner_kind text not null check (partner_kind in ('district', 'program', 'project')),
    partner_name text not null,
    aun text,
    -- null where no agreement is needed: the department's own systems and projects
    agreement_starts_on date,
    agreement_ends_on date,
    purposes text [] not null,
    contract_version text not null,
    -- the service level, null where the contract promises none
    delivery_interval interval,
    -- 1 is Monday, 7 is Sunday, as PostgreSQL's isodow
    delivery_weekday smallint,
    latency_days integer,
    max_shrink_share numeric(5, 4) not null default 0
);

-- The kinds of file that each contract describes, renewed with the partners.
create table if not exists landing.contract_objects (
    partner_id text not null,
    contract_object text not null,
    snapshot text not null
        check (snapshot in ('school_year', 'cumulative', 'delta', 'exempt', 'reference')),
    feeds text [] not null,
    primary key (partner_id, contract_object)
);

-- The days in session that a contract tells, where no delivered file does; renewed with the
-- partners. A calendar without a school is that of all schools that have none of their own.
create table if not exists landing.contract_calendars (
    partner_id text not null,
    school_year integer not null,
    school_code text,
    session_days date [] not null,
    unique nulls not distinct (partner_id, school_year, school_code)
);

-- What reviewers decided about pairs of records; only ever appended to. Of a pair the
-- newest row counts.
create table if not exists landing.link_decisions (
    decision_id bigint generated always as identity primary key,
    -- <district>:<district_student_id>
    student_key text not null,
    other_record_type text not null check (other_record_type in ('student', 'client')),
    -- <source>:<source_client_id>, or the other student's key, which sorts later
    other_record_key text not null,
    decision text not null check (decision in ('link', 'no_link', 'withdrawn')),
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    reason text not null,
    check (other_record_type = 'client' or student_key < other_record_key)
);

-- The key of the pseudonyms while the environment has given none. The first build with
-- OUTCOMES_PSEUDONYM_KEY forgets it, and no build does without the environment's from then
-- on. Whoever reads a key can tell whose pseudonym is whose.
create table if not exists landing.pseudonym_key (
    key bytea,
    is_in_environment boolean not null default false
);
-- Of earlier warehouses; their next build makes new pseudonyms.
alter table landing.pseudonym_key
    drop column if exists inner_key,
    drop column if exists outer_key,
    add column if not exists key bytea,
    add column if not exists is_in_environment boolean not null default false;
insert into landing.pseudonym_key (key)
select null where not exists (select from landing.pseudonym_key);
revoke all on landing.pseudonym_key from public;

-- Every dbt run on the target prod; runs.sql writes it.
create table if not exists landing.runs (
    -- dbt's invocation id
    run_id text primary key,
    -- build, run, seed, …
    command text not null,
    -- running, then failed, partial or passed; abandoned after a kill; published, or held
    -- for what is missing; withdrawn by a rollback
    status text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    published_at timestamptz,
    as_of_date date,
    -- the commit, or the release where there is no checkout
    code_version text not null,
    -- Hashes, to tell what changed between two runs: of models and functions, of the
    -- policy and crosswalk seeds, of the seeds that decide links.
    code_digest text not null,
    policy_version text not null,
    model_version text not null,
    -- partner → version
    contract_versions jsonb not null,
    -- status → how many models, seeds, functions and tests ended so
    nodes jsonb,
    -- the names of those that failed
    failed_nodes text [],
    -- what people read before and would miss, and why it was published all the same
    missing_rows text,
    loss_accepted_because text
);

-- Of earlier warehouses.
alter table landing.runs
    drop constraint if exists runs_status_check,
    add column if not exists missing_rows text,
    add column if not exists loss_accepted_because text,
    add column if not exists failed_nodes text [];

-- What each run publishes, a district's own tables among it.
create table if not exists landing.run_relations (
    run_id text not null references landing.runs on delete cascade,
    schema_name text not null,
    relation text not null,
    -- the roles that are granted it
    readers text [] not null,
    -- the schema, without next_, in which it was built; another one for a district's own
    built_in text not null,
    -- which of those rows, as SQL
    row_filter text not null default 'true',
    -- null until published
    row_count bigint,
    primary key (run_id, schema_name, relation)
);

-- Of earlier warehouses.
alter table landing.run_relations
    add column if not exists readers text [] not null default '{}',
    add column if not exists built_in text not null default '',
    add column if not exists row_filter text not null default 'true';

-- The headline figures as each publication showed them, hidden ones as hidden. It cannot
-- be made again: what was public then is known only here.
create table if not exists landing.measure_history (
    run_id text not null references landing.runs,
    school_year integer not null,
    district_id text not null,
    program_group text not null,
    involvement text not null,
    measure text not null,
    n_involved bigint,
    n_not_involved bigint,
    value_involved double precision,
    value_not_involved double precision,
    gap double precision,
    is_suppressed boolean not null,
    primary key (run_id, school_year, district_id, program_group, involvement, measure)
);

-- The record of disclosures (34 CFR 99.32): who got to see whose students, and why. Only
-- ever appended to, by publications (publishing.sql) and by every export.
create table if not exists landing.disclosures (
    disclosure_id bigint generated always as identity primary key,
    disclosed_at timestamptz not null default clock_timestamp(),
    -- whose students they are
    partner_id text not null,
    -- the agreement under which it is done
    agreement text not null,
    -- a role of the database, or who made an export
    party text not null check (party <> ''),
    interest text not null,
    purpose text not null,
    -- a relation, or what was exported
    disclosed text not null,
    -- of a publication
    run_id text,
    row_count bigint not null
);

-- Destructions of partners' data, so that one that was interrupted is finished; no
-- person's data.
create table if not exists landing.purges (
    purge_id bigint generated always as identity primary key,
    partner_id text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    -- what was found and destroyed; the certificate tells it in words
    found jsonb not null
);

-- What an upgrade changed in raw and the ledger, in words; tables.py writes it.
create table if not exists landing.upgrades (
    upgraded_at timestamptz not null default clock_timestamp(),
    change text not null
);
