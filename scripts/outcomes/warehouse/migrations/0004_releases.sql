-- Releases of school years: the public figures as they were published. A build reads them, so
-- released figures change only when a person revises the year.
create schema if not exists releases;

create table releases.school_years (
    school_year integer not null,
    -- 0 is the first release
    revision integer not null,
    -- why the year was revised, and who decided it; public
    reason text,
    decided_by text,
    decided_at timestamptz not null default clock_timestamp(),
    -- null until the next publication
    released_at timestamptz,
    run_id text,
    -- the figures contain what was known on this day
    as_of_date date,
    primary key (school_year, revision),
    check (revision = 0 or (reason <> '' and decided_by <> '')),
    check ((released_at is null) = (run_id is null))
);

-- The rows of marts_public.rpt_outcome_gaps and …_by_group.
create table releases.outcome_gaps (
    school_year integer not null,
    known_through date,
    is_complete_year boolean,
    district_id text not null,
    group_type text not null,
    group_value text not null,
    group_label text,
    program_group text not null,
    program_group_label text,
    involvement text not null,
    measure text not null,
    measure_label text,
    n_involved bigint,
    n_not_involved bigint,
    value_involved double precision,
    value_not_involved double precision,
    gap double precision,
    ci_low double precision,
    ci_high double precision,
    standard_deviation double precision,
    adjusted_gap double precision,
    adjusted_coverage double precision,
    is_coded boolean not null,
    is_suppressed boolean not null,
    revision integer not null,
    foreign key (school_year, revision) references releases.school_years,
    primary key (
        school_year, revision, district_id, group_type, group_value, program_group, involvement,
        measure
    )
);

insert into landing.redefined_relations (relation, reason)
select 'marts_public.rpt_outcome_gaps', 'small districts have no public cross tables'
where exists (select from landing.run_relations)
on conflict do nothing;
