-- Releases of school years: the public figures as they were published. A build reads them, so
-- released figures change only when a person revises the year.
-- Idempotent; applied together with the ledger.

create schema if not exists releases;

create table if not exists releases.school_years (
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
create table if not exists releases.outcome_gaps (
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

-- Keep the figures of the school years that this run has published for the first time, or
-- revised.
create or replace function releases.keep(this_run_id text)
returns void
language plpgsql set search_path = '' as $$
begin
    insert into releases.school_years (school_year, revision)
    select distinct school_year, revision
    from marts_public.rpt_outcome_gaps
    where revision = 0
    on conflict do nothing;

    with released as (
        update releases.school_years as years
        set released_at = now(), run_id = this_run_id, as_of_date = published.released_on
        from (
            select distinct school_year, revision, released_on
            from marts_public.rpt_outcome_gaps
        ) as published
        where
            (years.school_year, years.revision) = (published.school_year, published.revision)
            and years.released_at is null
        returning years.school_year, years.revision
    ),

    gaps as (
        select
            school_year, known_through, is_complete_year, district_id, 'all' as group_type,
            'all' as group_value, 'all' as group_label, program_group, program_group_label,
            involvement, measure, measure_label, n_involved, n_not_involved, value_involved,
            value_not_involved, gap, ci_low, ci_high, standard_deviation, adjusted_gap,
            adjusted_coverage, is_coded, is_suppressed, revision
        from marts_public.rpt_outcome_gaps
        union all
        select
            school_year, known_through, is_complete_year, district_id, group_type,
            group_value, group_label, program_group, program_group_label, involvement,
            measure, measure_label, n_involved, n_not_involved, value_involved,
            value_not_involved, gap, ci_low, ci_high, standard_deviation, adjusted_gap,
            adjusted_coverage, is_coded, is_suppressed, revision
        from marts_public.rpt_outcome_gaps_by_group
    )

    insert into releases.outcome_gaps
    select gaps.* from gaps inner join released using (school_year, revision);
end
$$;
