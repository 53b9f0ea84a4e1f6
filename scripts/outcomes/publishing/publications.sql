-- Publishing: dbt builds public models in next_<schema>; when all have passed, one transaction
-- copies their rows to the published tables. docs/architecture.md says why.
-- Replaced by every upgrade that finds another text.

-- Publish a complete run that passed, unless published rows would be missing or pseudonyms
-- would change, and nobody has accepted it.
create or replace function publishing.publish_run(this_run_id text, accepted_because text)
returns void
language plpgsql set search_path = ''
-- Without "already exists, skipping".
set client_min_messages = warning
as $$
declare
    this publishing.runs;
    replaced text;
    is_loss boolean;
begin
    perform publishing.refuse_owner();
    perform pg_advisory_xact_lock(hashtext('outcomes.publish'));
    select * into this from publishing.runs where run_id = this_run_id;
    if this.status is distinct from 'passed' then
        raise exception 'Run % cannot be published: it is %, not passed.',
            this_run_id, coalesce(this.status, 'unknown');
    end if;
    if exists (select from publishing.runs where run_number > this.run_number) then
        raise exception 'Run % cannot be published: a later run has built over it.', this_run_id;
    end if;
    this.missing_rows := publishing.missing_rows();
    is_loss := this.missing_rows <> '' or publishing.has_another_key(this_run_id);
    if is_loss and coalesce(accepted_because, '') = '' then
        update publishing.runs
        set status = 'held', missing_rows = this.missing_rows
        where run_id = this_run_id;
        return;
    end if;

    perform publishing.keep_previous();
    replaced := publishing.published_run();
    update publishing.runs
    set
        status = 'published',
        published_at = now(),
        missing_rows = this.missing_rows,
        loss_accepted_because = case when is_loss then accepted_because end
    where run_id = this_run_id;
    if current_setting('outcomes.pseudonym_key', true) <> '' then
        update privacy.pseudonym_key set key = null, is_in_environment = true;
    end if;
    perform publishing.put_in_place(this_run_id, replaced, 'next_');
    perform releases.keep(this_run_id);
    insert into publishing.measure_history
    select
        run_id, school_year, district_id, program_group, involvement, measure, n_involved,
        n_not_involved, value_involved, value_not_involved, gap, is_suppressed
    from marts.rpt_measure_history
    where run_id = this_run_id;
    perform privacy.record_disclosures(this_run_id);
    delete from publishing.redefined_relations;
end
$$;

-- The published run; null after a restore until the first build.
create or replace function publishing.published_run()
returns text
language sql stable set search_path = '' as $$
    select run_id from publishing.runs
    where status = 'published' and to_regclass('marts.publications') is not null
    order by run_number desc
    limit 1
$$;

-- Keep the published tables for a rollback. The districts' own tables are derived from them.
create or replace function publishing.keep_previous()
returns void
language plpgsql set search_path = '' as $$
declare
    kept publishing.run_relations;
begin
    perform publishing.drop_previous();
    for kept in
        select * from publishing.run_relations
        where run_id = publishing.published_run() and schema_name = built_in
    loop
        execute format('create schema if not exists %I', 'previous_' || kept.schema_name);
        perform publishing.copy_table(
            format('%I.%I', kept.schema_name, kept.relation)::regclass,
            'previous_' || kept.schema_name, kept.relation, 'true', ''
        );
    end loop;
end
$$;

create or replace function publishing.drop_previous()
returns void
language plpgsql set search_path = '' as $$
declare
    kept_schema text;
begin
    for kept_schema in select nspname from pg_namespace where nspname like 'previous\_%' loop
        execute format('drop schema %I cascade', kept_schema);
    end loop;
end
$$;

-- Publish the relations of a run, all of them and no others, instead of those of `replaced`,
-- from the schemas `next_…` or, for a rollback, `previous_…`.
create or replace function publishing.put_in_place(this_run_id text, replaced text, beside text)
returns void
language plpgsql set search_path = '' as $$
declare
    made publishing.run_relations;
    source regclass;
    copied bigint;
begin
    perform publishing.drop_replaced(this_run_id, replaced);
    for made in select * from publishing.run_relations where run_id = this_run_id loop
        execute format('create schema if not exists %I', made.schema_name);
        source := format('%I.%I', beside || made.built_in, made.relation)::regclass;
        copied := publishing.copy_table(
            source, made.schema_name, made.relation, made.row_filter,
            publishing.row_order(source, made.readers)
        );
        perform publishing.set_readers(made.schema_name, made.relation, made.readers);
        -- Later rows resemble the first ones until autovacuum analyzes them.
        if (
            select reltuples < 0 from pg_class
            where oid = format('%I.%I', made.schema_name, made.relation)::regclass
        ) then
            execute format('analyze %I.%I', made.schema_name, made.relation);
        end if;
        update publishing.run_relations
        set row_count = copied
        where (run_id, schema_name, relation) = (this_run_id, made.schema_name, made.relation);
    end loop;
    perform publishing.enter_publications(this_run_id, schema_name)
    from (
        select distinct schema_name from publishing.run_relations where run_id = this_run_id
    ) as schemas;
end
$$;

-- How rows are stored whose readers may not know everybody's ids: by all columns from left to
-- right, so that the place of a row (ctid) says nothing more than the row. The order of a build
-- follows the ids of students, and would name who is behind a pseudonym. Stewards may know.
create or replace function publishing.row_order(source regclass, readers text [])
returns text
language sql stable set search_path = '' as $$
    select 'order by ' || string_agg(number::text, ', ' order by number)
    from (
        select row_number() over (order by attnum) as number
        from pg_attribute
        where attrelid = source and attnum > 0 and not attisdropped
    ) as columns
    where readers <> '{outcomes_steward}'
$$;

-- Drop the relations that the run no longer makes, and schemas without any.
create or replace function publishing.drop_replaced(this_run_id text, replaced text)
returns void
language plpgsql set search_path = '' as $$
declare
    gone record;
begin
    for gone in
        select schema_name, relation from publishing.run_relations where run_id = replaced
        except
        select schema_name, relation from publishing.run_relations where run_id = this_run_id
    loop
        execute format('drop table %I.%I', gone.schema_name, gone.relation);
    end loop;
    for gone in
        select schema_name from publishing.run_relations where run_id = replaced
        except
        select schema_name from publishing.run_relations where run_id = this_run_id
    loop
        execute format('drop table %I.publications', gone.schema_name);
        -- Somebody's own views may be left.
        if not exists (
            select from pg_depend
            where
                refclassid = 'pg_namespace'::regclass
                and refobjid = to_regnamespace(quote_ident(gone.schema_name))
        ) then
            execute format('drop schema %I', gone.schema_name);
        end if;
    end loop;
end
$$;

-- Replace a table's rows by those of another. If both have the same definition, the table and
-- the views on it stay, and no reader waits. Otherwise the table is created again; if a
-- reader's own view depends on it, PostgreSQL refuses, and nothing changes.
create or replace function publishing.copy_table(
    source regclass, schema_name text, relation text, row_filter text, row_order text
) returns bigint
language plpgsql set search_path = '' as $$
declare
    target constant text := format('%I.%I', schema_name, relation);
    copied bigint;
    described record;
begin
    perform publishing.refuse_foreign(source), publishing.refuse_foreign(to_regclass(target));
    if publishing.definition_of(to_regclass(target)) <> publishing.definition_of(source) then
        execute format('drop table %s', target);
    end if;
    execute format('create table if not exists %s (like %s including all)', target, source);
    execute format('delete from %s', target);
    execute format(
        'insert into %s select * from %s where %s %s', target, source, row_filter, row_order
    );
    get diagnostics copied = row_count;
    for described in
        -- Few descriptions change from run to run.
        with descriptions as (
            select
                oid as table_id,
                'table ' || target as place,
                obj_description(oid, 'pg_class') as words
            from pg_class
            where oid in (source, target::regclass)
            union all
            select
                attrelid,
                format('column %s.%I', target, attname),
                col_description(attrelid, attnum)
            from pg_attribute
            where attrelid in (source, target::regclass) and attnum > 0 and not attisdropped
        )
        select place, words from descriptions where table_id = source
        except
        select place, words from descriptions where table_id <> source
    loop
        execute format('comment on %s is %L', described.place, described.words);
    end loop;
    return copied;
end
$$;

-- Refuse a relation that is no table or belongs to another role: its triggers and rules would
-- run with the rights of whoever publishes.
create or replace function publishing.refuse_foreign(relation regclass)
returns void
language plpgsql set search_path = '' as $$
declare
    found record;
begin
    select relkind, relowner, pg_get_userbyid(relowner) as owner into found
    from pg_class
    where oid = relation and (relkind <> 'r' or not pg_has_role(relowner, 'usage'));
    if found.owner is not null then
        raise exception '% is not a table of %: it belongs to %.',
            relation, current_user, found.owner
            using hint = 'Drop it, then build again.';
    end if;
end
$$;

-- The definition of a table without rows, comments, grants and names of indexes; null if the
-- table does not exist.
create or replace function publishing.definition_of(relation regclass)
returns text
language sql stable set search_path = '' as $$
    select string_agg(part, E'\n' order by part)
    from (
        select
            format(
                '%s. %I %s %s', row_number() over (order by attnum), attname,
                format_type(atttypid, atttypmod), attnotnull
            ) as part
        from pg_attribute
        where attrelid = relation and attnum > 0 and not attisdropped
        union all
        select pg_get_constraintdef(oid)
        from pg_constraint
        where conrelid = relation and contype in ('p', 'u', 'c')
        union all
        select regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING ', ' ')
        from pg_index
        where indrelid = relation
        union all
        select 'row-level security' from pg_class where oid = relation and relrowsecurity
    ) as parts
$$;

-- Let these roles, and no others, read a relation, whatever was granted before, by whomever and
-- on whichever columns. Roles that do not exist are skipped.
create or replace function publishing.set_readers(schema_name text, relation text, readers text [])
returns void
language plpgsql set search_path = '' as $$
declare
    target constant regclass := format('%I.%I', schema_name, relation)::regclass;
    role_name text;
begin
    for role_name in
        select distinct
            case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
        from (
            select relacl as acl from pg_class where oid = target
            union all
            select attacl from pg_attribute where attrelid = target
        ) as lists
        cross join aclexplode(acl)
        where grantee <> (select relowner from pg_class where oid = target)
    loop
        execute format('revoke all on %s from %s cascade', target, role_name);
    end loop;
    for role_name in select rolname from pg_roles where rolname = any(readers) loop
        execute format('grant select on %s to %I', target, role_name);
    end loop;
end
$$;

-- Write the table `publications` of a schema: the run of each relation. Every reader of the
-- schema may read it, so it has no numbers of rows: publishing.run_relations has them.
create or replace function publishing.enter_publications(this_run_id text, schema_name text)
returns void
language plpgsql set search_path = '' as $$
begin
    execute format(
        $sql$
        create table if not exists %1$I.publications (
            relation text primary key,
            run_id text not null,
            as_of_date date,
            published_at timestamptz not null
        );
        comment on table %1$I.publications is
        'One row per published relation of this schema: the run that made its rows.';
        comment on column %1$I.publications.relation is 'Table of this schema.';
        comment on column %1$I.publications.run_id is 'Run that made the rows.';
        comment on column %1$I.publications.as_of_date is
        'Day up to which deliveries are in the rows; null before the first delivery.';
        comment on column %1$I.publications.published_at is 'When the run was published.';
        delete from %1$I.publications;
        insert into %1$I.publications
        select relation, run_id, as_of_date, published_at
        from publishing.run_relations
        inner join publishing.runs using (run_id)
        where run_id = %2$L and schema_name = %1$L;
        $sql$,
        schema_name, this_run_id
    );
    perform publishing.set_readers(
        schema_name, 'publications',
        array(
            select distinct unnest(readers) from publishing.run_relations as made
            where made.run_id = this_run_id and made.schema_name = enter_publications.schema_name
        )
    );
end
$$;

-- Restore the previous publication; returns its run. The readers stay those of the newest run.
create or replace function publishing.roll_back()
returns text
language plpgsql set search_path = ''
set client_min_messages = warning
as $$
declare
    withdrawn text;
    restored text;
begin
    perform publishing.refuse_owner();
    perform pg_advisory_xact_lock(hashtext('outcomes.publish'));
    withdrawn := publishing.published_run();
    update publishing.runs set status = 'withdrawn' where run_id = withdrawn;
    restored := publishing.published_run();
    if restored is null
        or not exists (select from pg_namespace where nspname like 'previous\_%')
    then
        raise exception
            'There is no earlier publication to go back to: only one is kept. '
            '`outcomes build` makes the newest one again.';
    end if;
    update publishing.run_relations as back
    set readers = newest.readers
    from publishing.run_relations as newest
    where
        back.run_id = restored
        and newest.run_id = withdrawn
        and (back.schema_name, back.relation) = (newest.schema_name, newest.relation);
    perform publishing.put_in_place(restored, withdrawn, 'previous_');
    perform publishing.drop_previous();
    return restored;
end
$$;
