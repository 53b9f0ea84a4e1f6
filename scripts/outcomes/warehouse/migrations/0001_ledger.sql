-- The ledger: delivered files, their outcomes, and their faults; runs and publications.
-- Warehouses from before the migrations have most of these tables: 0002 brings those up.

create schema if not exists landing;
create schema if not exists raw;

-- Linking compares names by sound (dmetaphone) and by edit distance (levenshtein).
create extension if not exists fuzzystrmatch schema public;

create table if not exists landing.files (
    file_id bigint generated always as identity primary key,
    partner_id text not null,
    -- the object of the contract; null if none fits
    contract_object text,
    -- the source system, if the file's name has it: several can share an object
    source_id text,
    contract_version text,
    -- archive/member or workbook/sheet: each member or sheet is a file of its own
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
    -- for people: what was expected and found; for a loaded file a warning, such as an added
    -- column; never personal data
    detail text,
    -- for a held snapshot that a person released
    released_at timestamptz,
    release_reason text,
    -- for a duplicate: the file with the same content
    duplicate_of bigint references landing.files,
    -- Physical lines (rows of a sheet) by outcome. If a file did not load, all its lines count
    -- as rejected; a duplicate is not read.
    lines bigint not null default 0,
    header_lines bigint not null default 0,
    blank_lines bigint not null default 0,
    trailer_lines bigint not null default 0,
    rows_loaded bigint not null default 0,
    rows_rejected bigint not null default 0,
    lines_loaded bigint not null default 0,
    lines_rejected bigint not null default 0,
    -- rows that the contract filters out: neither stored nor a fault
    rows_not_for_us bigint not null default 0,
    lines_not_for_us bigint not null default 0,
    -- for a joined file: whether it has only changes, its counts before the join, and the number
    -- of rows of the resulting snapshot
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

-- One load per content, delivery and object, also with several loaders at once.
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
    -- found by the join
    is_of_join boolean not null default false
);

create index if not exists rejected_rows_file on landing.rejected_rows (file_id);

-- Broken values of optional columns, which became null in a loaded row.
create table if not exists landing.value_issues (
    file_id bigint not null references landing.files on delete cascade,
    line_number bigint not null,
    reason_code text not null,
    column_name text not null,
    detail text,
    is_of_join boolean not null default false
);

create index if not exists value_issues_file on landing.value_issues (file_id);

-- The rows of joined files before the join, every value as text: later files of changes are
-- applied to them. The joined rows are in raw, like those of any other file.
create table if not exists landing.joined_rows (
    file_id bigint not null references landing.files on delete cascade,
    line_number bigint not null,
    line_end bigint not null,
    content jsonb not null,
    primary key (file_id, line_number)
);

-- The contracts' facts about each partner, updated by every `outcomes land`.
create table if not exists landing.partners (
    partner_id text primary key,
    partner_kind text not null check (partner_kind in ('district', 'program', 'project')),
    partner_name text not null,
    aun text,
    -- null if no agreement is needed: the department's own systems and projects
    agreement_starts_on date,
    agreement_ends_on date,
    purposes text [] not null,
    contract_version text not null,
    -- the service level; null if the contract has none
    delivery_interval interval,
    -- 1 is Monday, 7 is Sunday, as PostgreSQL's isodow
    delivery_weekday smallint,
    latency_days integer,
    max_shrink_share numeric(5, 4) not null default 0
);

-- The kinds of file that each contract describes, updated with the partners.
create table if not exists landing.contract_objects (
    partner_id text not null,
    contract_object text not null,
    snapshot text not null
        check (snapshot in ('school_year', 'cumulative', 'delta', 'exempt', 'reference')),
    feeds text [] not null,
    primary key (partner_id, contract_object)
);

-- The days in session in a contract, if no delivered file has them; updated with the partners.
-- A calendar without a school is for all schools without a calendar of their own.
create table if not exists landing.contract_calendars (
    partner_id text not null,
    school_year integer not null,
    school_code text,
    session_days date [] not null,
    unique nulls not distinct (partner_id, school_year, school_code)
);

-- Reviewers' decisions about pairs of records; append-only. The newest row of a pair counts.
create table if not exists landing.link_decisions (
    decision_id bigint generated always as identity primary key,
    -- <district>:<district_student_id>
    student_key text not null,
    other_record_type text not null check (other_record_type in ('student', 'client')),
    -- <source>:<source_client_id>, or the other student's key, which is the later in order
    other_record_key text not null,
    decision text not null check (decision in ('link', 'no_link', 'withdrawn')),
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    reason text not null,
    check (other_record_type = 'client' or student_key < other_record_key)
);

-- The key of the pseudonyms, until the environment sets one. The first publication with
-- OUTCOMES_PSEUDONYM_KEY deletes it; from then on every build needs the environment's key.
-- Who reads a key can compute everybody's pseudonym.
create table if not exists landing.pseudonym_key (
    key bytea,
    is_in_environment boolean not null default false
);
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
    -- because rows are missing; withdrawn by a rollback
    status text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    published_at timestamptz,
    as_of_date date,
    -- the commit, or the release outside a checkout
    code_version text not null,
    -- Hashes of models and functions, of the policy and crosswalk seeds, and of the seeds of
    -- linking, to see what changed between two runs.
    code_digest text not null,
    policy_version text not null,
    model_version text not null,
    -- partner → version
    contract_versions jsonb not null,
    -- status → number of models, seeds, functions and tests
    nodes jsonb,
    -- names of failed models, seeds, functions and tests
    failed_nodes text [],
    -- published rows that are missing, and why the loss was accepted
    missing_rows text,
    loss_accepted_because text
);

-- The relations that each run publishes, including districts' own tables.
create table if not exists landing.run_relations (
    run_id text not null references landing.runs on delete cascade,
    schema_name text not null,
    relation text not null,
    -- the roles that are granted it
    readers text [] not null,
    -- the schema, without next_, in which it was built; differs for a district's own table
    built_in text not null,
    -- condition of the published rows, as SQL
    row_filter text not null default 'true',
    -- null until published
    row_count bigint,
    primary key (run_id, schema_name, relation)
);

-- Public relations that have fewer rows by the definition of a newer release. A migration enters
-- them, and the next publication, which is not held because of them, removes them.
create table if not exists landing.redefined_relations (
    -- as in policy.publication_loss_limits
    relation text primary key,
    reason text not null
);

-- The headline figures of each publication, including suppressed ones. This table cannot be
-- rebuilt: earlier figures are stored only here.
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

-- The record of disclosures (34 CFR 99.32): who could see whose students, and why. Append-only,
-- written by publications (publishing.sql) and by every export.
create table if not exists landing.disclosures (
    disclosure_id bigint generated always as identity primary key,
    disclosed_at timestamptz not null default clock_timestamp(),
    -- the students' district
    partner_id text not null,
    -- the agreement that permits it
    agreement text not null,
    -- a role of the database, or the person who made an export
    party text not null check (party <> ''),
    interest text not null,
    purpose text not null,
    -- a relation, or the kind of export
    disclosed text not null,
    -- set for a publication
    run_id text,
    row_count bigint not null
);

-- Purges of partners' data, so that an interrupted one can be finished; without personal data.
create table if not exists landing.purges (
    purge_id bigint generated always as identity primary key,
    partner_id text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    -- what was found and destroyed, as in the certificate
    found jsonb not null
);

-- What upgrades changed, in words; written by tables.py.
create table if not exists landing.upgrades (
    upgraded_at timestamptz not null default clock_timestamp(),
    change text not null
);

-- The migrations that this warehouse has, and the text of its functions.
create table landing.migrations (
    -- a file of migrations/ without its ending, or `functions`
    script text primary key,
    -- of the functions: they are replaced when their text changes; a migration runs once
    checksum text,
    applied_at timestamptz not null default clock_timestamp()
);
