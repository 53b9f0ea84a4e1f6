-- Runs of dbt on the target `prod`: begin, end, missing rows and verdict.
-- Replaced by every upgrade that finds another text.

-- A hash of all that a build reads from the ledger. A run records it before it reads anything, so
-- whatever is landed, released, decided or purged from then on makes it differ, in whatever order
-- ids and times were assigned and transactions ended.
create or replace function publishing.ledger_content()
returns text
language sql stable set search_path = ''
-- The text of a row is the same in every session.
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
as $$
    select md5(string_agg(md5(content), '' order by content))
    from (
        select 'file ' || files::text from landing.files
        union all
        select 'partner ' || partners::text from landing.partners
        union all
        select 'object ' || contract_objects::text from landing.contract_objects
        union all
        select 'replaced ' || replaced_objects::text from landing.replaced_objects
        union all
        select 'calendar ' || contract_calendars::text from landing.contract_calendars
        union all
        select 'decision ' || decisions::text from linking.decisions
    ) as entries (content)
$$;

-- Whether builders share the warehouse with its owner. On a cluster the owner builds itself,
-- because builders cannot log in to the workers (docs/distributed.md).
create or replace function publishing.has_builders()
returns boolean
language sql stable set search_path = '' as $$
    select
        exists (
            select from pg_roles
            where
                rolname = 'outcomes_builder'
                and has_database_privilege(oid, current_database(), 'create')
        )
        and not exists (select from pg_extension where extname = 'citus')
$$;

-- Refuse the owner's rights beside builders: what builders have written would run with them.
create or replace function publishing.refuse_owner()
returns void
language plpgsql set search_path = '' as $$
begin
    if publishing.has_builders() and (
        select pg_has_role(nspowner, 'usage') from pg_namespace where nspname = 'landing'
    ) then
        raise exception
            'The owner does not build: code of a builder would run with the rights of %.',
            current_user
            using hint = 'Use `outcomes build`, or a login of the role builder.';
    end if;
end
$$;

-- Refuse to build over tables of others, such as those that an owner built without builders.
create or replace function publishing.refuse_foreign_tables()
returns void
language plpgsql set search_path = '' as $$
declare
    found record;
begin
    select oid::regclass as relation, pg_get_userbyid(relowner) as owner into found
    from pg_class
    where
        relkind = 'r'
        and not pg_has_role(relowner, 'usage')
        and relnamespace in (
            select oid from pg_namespace
            where nspname ~ '^(next|previous)_' or pg_has_role(nspowner, 'usage')
        )
    limit 1;
    if found.owner is not null then
        raise exception '% belongs to %, not to %.', found.relation, found.owner, current_user
            using hint =
                'Build as a login of the role builder. Tables of others: run `outcomes access '
                'apply` as the owner.';
    end if;
end
$$;

-- Begin a run, unless another one is alive: two runs at once would mix their tables. dbt closes
-- its connection between two nodes, so it cannot hold a lock. But a living run almost always
-- has a session, and the sessions of a killed run end by themselves.
create or replace function publishing.begin_run(
    this_run_id text,
    this_command text,
    code_version text,
    code_digest text,
    policy_version text,
    model_version text
) returns void
language plpgsql set search_path = '' as $$
declare
    other publishing.runs;
    gives_up_at constant timestamptz := clock_timestamp() + interval '20 seconds';
    quiet_since timestamptz := clock_timestamp();
begin
    perform publishing.refuse_owner();
    perform publishing.refuse_foreign_tables();
    perform pg_advisory_xact_lock(hashtext('outcomes.begin_run'));
    select * into other
    from publishing.runs
    where status in ('running', 'passed')
    order by run_number desc
    limit 1;
    while other.run_id is not null and clock_timestamp() < quiet_since + interval '8 seconds' loop
        perform pg_stat_clear_snapshot();
        if exists (
            select from pg_stat_activity
            where
                datname = current_database()
                and application_name = 'dbt'
                and pid <> pg_backend_pid()
        ) then
            quiet_since := clock_timestamp();
        end if;
        if clock_timestamp() > gives_up_at then
            raise exception
                'Another run is in progress: dbt %, started at %, run %.',
                other.command, to_char(other.started_at, 'YYYY-MM-DD HH24:MI:SS'), other.run_id
                using hint = 'Start again when it has ended.';
        end if;
        perform pg_sleep(0.1);
    end loop;
    -- dbt listed the tables before it came here, and the other run has made others since.
    if exists (
        select from publishing.runs where run_id = other.run_id and status <> other.status
    ) then
        raise exception 'Another run ended while this one waited: run %.', other.run_id
            using hint = 'Start again.';
    end if;
    -- Entries of killed runs.
    update publishing.runs
    set status = 'abandoned', finished_at = clock_timestamp()
    where status = 'running';
    insert into publishing.runs (
        run_id, command, status, code_version, code_digest, policy_version, model_version,
        contract_versions, ledger_content
    )
    select
        this_run_id, this_command, 'running', begin_run.code_version, begin_run.code_digest,
        begin_run.policy_version, begin_run.model_version,
        coalesce(jsonb_object_agg(partners.partner_id, partners.contract_version), '{}'),
        publishing.ledger_content()
    from landing.partners;
end
$$;

-- Whether a run has another key than the last publication. It counts after a restore, too.
create or replace function publishing.has_another_key(this_run_id text)
returns boolean
language sql stable set search_path = '' as $$
    select coalesce(
        (
            select published.key_fingerprint <> this.key_fingerprint
            from publishing.runs as this
            cross join publishing.runs as published
            where
                this.run_id = this_run_id
                and published.status = 'published'
                and published.run_id <> this.run_id
            order by published.run_number desc
            limit 1
        ),
        false
    )
$$;

-- End a run. `relations` are the public models of a complete run that passed, with their
-- readers: [{"schema", "relation", "readers", "district_column"}]. A model with a
-- `district_column` is also published for every district, as a table of the district's own
-- rows in a schema that only the district's role may read.
create or replace function publishing.finish_run(
    this_run_id text, outcome text, as_of_date date, nodes jsonb, relations jsonb
) returns void
language plpgsql set search_path = '' as $$
begin
    update publishing.runs
    set
        status = outcome,
        finished_at = clock_timestamp(),
        as_of_date = finish_run.as_of_date,
        nodes = finish_run.nodes
    where run_id = this_run_id and status = 'running';
    if not found then
        raise exception 'Run % was marked as abandoned while it ran; build again.', this_run_id;
    end if;
    insert into publishing.run_relations (run_id, schema_name, relation, readers, built_in)
    select this_run_id, made.schema, made.relation, made.readers, made.schema
    from jsonb_to_recordset(relations) as made (schema text, relation text, readers text []);
    insert into publishing.run_relations (
        run_id, schema_name, relation, readers, built_in, row_filter
    )
    select
        this_run_id,
        'district_' || partners.partner_id,
        made.relation,
        array['outcomes_district_' || partners.partner_id],
        made.schema,
        format('%I = %L', made.district_column, partners.partner_id)
    from
        jsonb_to_recordset(relations) as made (schema text, relation text, district_column text)
    cross join landing.partners
    where made.district_column <> '' and partners.partner_kind = 'district';
end
$$;

-- The published rows that a publication would lose, in words, or null. The limits are in
-- policy.publication_loss_limits; a lost district or school year is always reported, but not of
-- a relation that a newer release has redefined.
create or replace function publishing.missing_rows()
returns text
language plpgsql set search_path = '' as $$
declare
    limits record;
    published regclass;
    built regclass;
    rows_before bigint;
    rows_after bigint;
    key text;
    lost text;
    missing text [];
begin
    for limits in
        select relation, max_lost_share from policy.publication_loss_limits
        where
            to_regclass(relation) is not null
            and not exists (
                select from publishing.redefined_relations as redefined
                where redefined.relation = publication_loss_limits.relation
            )
        order by relation
    loop
        published := to_regclass(limits.relation);
        built := to_regclass('next_' || limits.relation);
        if built is null then
            missing := missing || (limits.relation || ' as a whole');
            continue;
        end if;
        execute format('select count(*) from %s', published) into rows_before;
        execute format('select count(*) from %s', built) into rows_after;
        if rows_before - rows_after > limits.max_lost_share * rows_before then
            missing := missing || format(
                '%s of %s rows of %s', rows_before - rows_after, rows_before, limits.relation
            );
        end if;
        for key in
            select attname
            from pg_attribute as before
            inner join pg_attribute as made using (attname)
            where
                before.attrelid = published
                and made.attrelid = built
                and attname in ('district_id', 'school_year')
        loop
            execute format(
                $sql$
                select string_agg(%1$I::text, ', ' order by %1$I)
                from (select %1$I from %2$s except select %1$I from %3$s) as lost
                $sql$,
                key, published, built
            )
            into lost;
            if lost <> '' then
                missing := missing || format('%s %s of %s', key, lost, limits.relation);
            end if;
        end loop;
    end loop;
    return array_to_string(missing, '; ');
end
$$;

-- The outcome of a run, in a sentence.
create or replace function publishing.verdict(this_run_id text)
returns text
language sql stable set search_path = '' as $$
    select
        case runs.status
            when 'published' then format(
                'Published: %s relations, as of %s, run %s.',
                (select count(*) from publishing.run_relations where run_id = this_run_id),
                coalesce(runs.as_of_date::text, 'no delivery'), this_run_id
            )
            when 'held' then concat_ws(
                ' ',
                'Held, not published.',
                nullif(runs.missing_rows, '') || ' would be missing.',
                case
                    when publishing.has_another_key(this_run_id)
                        then
                            'The key of the pseudonyms is another: every pseudonym would '
                            'change, and the noise of every public figure that is not '
                            'released yet.'
                end,
                'If that is correct, build again with --accept-loss "reason".'
            )
            when 'partial' then 'Not published: only a complete `dbt build` is.'
            when 'running' then 'In progress; the published tables have not changed.'
            when 'abandoned' then 'Not published: it was killed.'
            when 'passed'
                then 'Passed, but not published: the publication has not ended, or it failed.'
            when 'withdrawn' then 'Withdrawn: it was published, then rolled back.'
            else 'Not published: something failed. The published tables have not changed.'
        end
    from publishing.runs as runs
    where runs.run_id = this_run_id
$$;
