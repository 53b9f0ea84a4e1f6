-- Publishing: dbt builds public models in next_<schema>; these functions put them in
-- place. docs/publishing.md says why it is done by copying rows.
-- Idempotent; applied together with the ledger.

-- A second build at the same time would mix its tables with the first one's. dbt closes
-- its connection between two nodes, so it can hold no lock. But while it runs there is
-- hardly a moment without a session of its own, and after a kill they end by themselves.
create or replace function landing.begin_run(
    this_run_id text,
    this_command text,
    code_version text,
    code_digest text,
    policy_version text,
    model_version text
) returns void
language plpgsql as $$
declare
    other landing.runs;
    gives_up_at constant timestamptz := clock_timestamp() + interval '20 seconds';
    quiet_since timestamptz := clock_timestamp();
begin
    perform pg_advisory_xact_lock(hashtext('outcomes.begin_run'));
    select * into other
    from landing.runs
    where status in ('running', 'passed')
    order by started_at desc
    limit 1;
    if other.run_id is not null then
        while clock_timestamp() < quiet_since + interval '8 seconds' loop
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
                    'Another run is under way: dbt %, begun at %, run %. Two at once would mix.',
                    other.command, to_char(other.started_at, 'YYYY-MM-DD HH24:MI:SS'), other.run_id
                    using hint = 'Start again when it has ended.';
            end if;
            perform pg_sleep(0.1);
        end loop;
        -- What a killed run leaves behind.
        update landing.runs
        set status = 'abandoned', finished_at = clock_timestamp()
        where status = 'running';
    end if;
    insert into landing.runs (
        run_id, command, status, code_version, code_digest, policy_version, model_version,
        contract_versions
    )
    select
        this_run_id, this_command, 'running', begin_run.code_version, begin_run.code_digest,
        begin_run.policy_version, begin_run.model_version,
        coalesce(jsonb_object_agg(partners.partner_id, partners.contract_version), '{}')
    from landing.partners;
end
$$;

-- `relations` are the public models, as <schema>.<name>, of a complete run that passed.
create or replace function landing.finish_run(
    this_run_id text,
    outcome text,
    as_of_date date,
    nodes jsonb,
    relations text []
) returns void
language plpgsql as $$
begin
    update landing.runs
    set
        status = outcome,
        finished_at = clock_timestamp(),
        as_of_date = finish_run.as_of_date,
        nodes = finish_run.nodes
    where run_id = this_run_id and status = 'running';
    if not found then
        raise exception 'Run % was taken for dead while it ran; build again.', this_run_id;
    end if;
    insert into landing.run_relations (run_id, schema_name, relation)
    select this_run_id, split_part(name, '.', 1), split_part(name, '.', 2)
    from unnest(relations) as relations (name);
end
$$;

-- The columns of a relation, in order.
create or replace function landing.columns_of(relation regclass)
returns table (name text, type text, is_required boolean)
language sql stable as $$
    select
        attname::text,
        format_type(atttypid, atttypmod),
        attnotnull
    from pg_attribute
    where attrelid = relation and attnum > 0 and not attisdropped
    order by attnum
$$;

-- Primary keys, checks and indexes of a relation, by what they say: names differ.
create or replace function landing.rules_of(relation regclass)
returns table (name text, definition text, is_constraint boolean)
language sql stable as $$
    select
        conname::text,
        pg_get_constraintdef(oid),
        true
    from pg_constraint
    where conrelid = relation and contype in ('p', 'u', 'c')
    union all
    select
        indexrelid::regclass::text,
        case when indisunique then 'unique ' else '' end
        || substring(pg_get_indexdef(indexrelid) from ' USING (.*)'),
        false
    from pg_index
    where
        indrelid = relation
        and not exists (select from pg_constraint where conindid = indexrelid)
$$;

-- Make the rows and columns of a table those of another, which nobody has to wait for:
-- only a changed definition takes a lock that readers notice.
create or replace function landing.copy_content(source regclass, target regclass)
returns bigint
language plpgsql
-- A policy that hid rows from the copy would leave a mixture: fail instead.
set row_security = off
as $$
declare
    change text;
    columns text;
    copied bigint;
begin
    execute format('delete from %s', target);
    for change in
        select format('drop column %I', is_now.name)
        from landing.columns_of(target) as is_now
        left join landing.columns_of(source) as will_be using (name)
        where will_be.name is null
        union all
        select format('add column %I %s', will_be.name, will_be.type)
        from landing.columns_of(source) as will_be
        left join landing.columns_of(target) as is_now using (name)
        where is_now.name is null
        union all
        select format('alter column %I type %s using null', name, will_be.type)
        from landing.columns_of(source) as will_be
        inner join landing.columns_of(target) as is_now using (name)
        where is_now.type <> will_be.type
        union all
        select format('alter column %I drop not null', name)
        from landing.columns_of(source) as will_be
        inner join landing.columns_of(target) as is_now using (name)
        where is_now.is_required and not will_be.is_required
    loop
        execute format('alter table %s %s', target, change);
    end loop;

    select string_agg(quote_ident(name), ', ') into columns from landing.columns_of(source);
    execute format('insert into %s (%s) select %2$s from %s', target, columns, source);
    get diagnostics copied = row_count;

    for change in
        select format('alter column %I set not null', name)
        from landing.columns_of(source) as will_be
        inner join landing.columns_of(target) as is_now using (name)
        where will_be.is_required and not is_now.is_required
    loop
        execute format('alter table %s %s', target, change);
    end loop;
    return copied;
end
$$;

-- Make the grants of a relation these, whatever they were: those of its columns and
-- those that were handed on go, too.
create or replace function landing.set_grants(relation regclass, wanted aclitem [])
returns void
language plpgsql as $$
declare
    change text;
begin
    for change in
        with lists as (
            select '' as columns, relacl as acl from pg_class where oid = relation
            union all
            select format(' (%I)', attname), attacl from pg_attribute where attrelid = relation
        ),

        is_now as (
            select
                grants.grantee,
                grants.privilege_type || lists.columns as privilege,
                grants.is_grantable
            from lists
            cross join aclexplode(lists.acl) as grants
            inner join pg_class on pg_class.oid = relation
            -- What somebody else granted goes with the right to.
            where grants.grantee <> pg_class.relowner and grants.grantor = pg_class.relowner
        ),

        will_be as (
            select grants.grantee, grants.privilege_type as privilege
            from aclexplode(wanted) as grants
            inner join pg_class on pg_class.oid = relation
            where grants.grantee <> pg_class.relowner
        ),

        changes as (
            select 'revoke %s on %s from %s cascade' as statement, superfluous.*
            from (
                select grantee, privilege from is_now
                except
                table will_be
            ) as superfluous
            union all
            select 'revoke grant option for %s on %s from %s cascade', grantee, privilege
            from is_now
            where is_grantable
            union all
            select 'grant %s on %s to %s', missing.*
            from (
                table will_be
                except
                select grantee, privilege from is_now
            ) as missing
        )

        select format(
            statement, privilege, relation,
            case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
        )
        from changes
    loop
        execute change;
    end loop;
end
$$;

-- Make who may read a relation, and which of its rows, the same as of another.
create or replace function landing.copy_access(source regclass, target regclass)
returns void
language plpgsql as $$
declare
    change text;
begin
    for change in
        with policies as (
            select
                polrelid,
                polname,
                format(
                    'as %s for %s to %s%s%s',
                    case when polpermissive then 'permissive' else 'restrictive' end,
                    case polcmd
                        when 'r' then 'select'
                        when 'a' then 'insert'
                        when 'w' then 'update'
                        when 'd' then 'delete'
                        else 'all'
                    end,
                    (
                        select string_agg(
                            case role
                                when 0 then 'public'
                                else quote_ident(pg_get_userbyid(role))
                            end,
                            ', ' order by role
                        )
                        from unnest(polroles) as role
                    ),
                    ' using (' || pg_get_expr(polqual, polrelid) || ')',
                    ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')'
                ) as definition
            from pg_policy
            where polrelid in (source, target)
        ),

        is_now as (
            select polname, definition from policies where polrelid = target
        ),

        will_be as (
            select polname, definition from policies where polrelid = source
        )

        select format(
            'alter table %s %s row level security, %s row level security',
            target,
            case when made.relrowsecurity then 'enable' else 'disable' end,
            case when made.relforcerowsecurity then 'force' else 'no force' end
        )
        from pg_class as made
        inner join pg_class as published on published.oid = target
        where
            made.oid = source
            and (made.relrowsecurity, made.relforcerowsecurity)
            <> (published.relrowsecurity, published.relforcerowsecurity)
        union all
        select format('drop policy %I on %s', polname, target)
        from (table is_now except table will_be) as superfluous
        union all
        select format('create policy %I on %s %s', polname, target, definition)
        from (table will_be except table is_now) as missing
        union all
        -- Plans show statistics to people who may not see the rows.
        select format(
            'alter table %s alter column %I set statistics %s',
            target, made.attname, coalesce(made.attstattarget, -1)
        )
        from pg_attribute as made
        inner join pg_attribute as published
            on published.attrelid = target and made.attname = published.attname
        where
            made.attrelid = source
            and made.attnum > 0
            and not made.attisdropped
            and coalesce(made.attstattarget, -1) <> coalesce(published.attstattarget, -1)
    loop
        execute change;
    end loop;
    perform landing.set_grants(target, (select relacl from pg_class where oid = source));
end
$$;

-- Put one relation in place: its rows, columns, keys, comments, policies and grants. The
-- published table itself stays, and with it the views over it.
create or replace function landing.publish_relation(schema_name text, relation text)
returns bigint
language plpgsql as $$
declare
    source constant regclass := format('%I.%I', 'next_' || schema_name, relation)::regclass;
    target regclass := to_regclass(format('%I.%I', schema_name, relation));
    change text;
    copied bigint;
begin
    if target is null then
        execute format('create table %I.%I (like %s including all)', schema_name, relation, source);
        target := format('%I.%I', schema_name, relation)::regclass;
    end if;

    for change in
        select
            case
                when is_now.is_constraint
                    then format('alter table %s drop constraint %I', target, is_now.name)
                else format('drop index %s', is_now.name)
            end
        from landing.rules_of(target) as is_now
        left join landing.rules_of(source) as will_be using (definition, is_constraint)
        where will_be.name is null
    loop
        execute change;
    end loop;

    copied := landing.copy_content(source, target);

    for change in
        select
            case
                when will_be.is_constraint
                    then format('alter table %s add %s', target, definition)
                when definition like 'unique %'
                    then format('create unique index on %s using %s', target, substr(definition, 8))
                else format('create index on %s using %s', target, definition)
            end
        from landing.rules_of(source) as will_be
        left join landing.rules_of(target) as is_now using (definition, is_constraint)
        where is_now.name is null
        union all
        select format(
            'comment on table %s is %L', target, obj_description(source, 'pg_class')
        )
        where
            obj_description(source, 'pg_class')
            is distinct from obj_description(target, 'pg_class')
        union all
        select format(
            'comment on column %s.%I is %L',
            target, will_be.attname, col_description(source, will_be.attnum)
        )
        from pg_attribute as will_be
        inner join pg_attribute as is_now
            on is_now.attrelid = target and will_be.attname = is_now.attname
        where
            will_be.attrelid = source
            and will_be.attnum > 0
            and not will_be.attisdropped
            and col_description(source, will_be.attnum)
            is distinct from col_description(target, is_now.attnum)
    loop
        execute change;
    end loop;

    perform landing.copy_access(source, target);
    execute format('analyze %s', target);
    return copied;
end
$$;

create or replace function landing.create_publications(schema_name text)
returns void
language plpgsql as $$
begin
    execute format(
        $sql$
        create table if not exists %1$I.publications (
            relation text primary key,
            run_id text not null,
            as_of_date date,
            published_at timestamptz not null,
            row_count bigint not null
        );
        comment on table %1$I.publications is
        'One row per published relation of this schema: the run that made its content. '
        'landing.runs describes the run.';
        comment on column %1$I.publications.relation is 'Table or view of this schema.';
        comment on column %1$I.publications.run_id is 'Run that made the rows.';
        comment on column %1$I.publications.as_of_date is
        'Day up to which deliveries are in the rows; null before the first delivery.';
        comment on column %1$I.publications.published_at is 'When the rows were put in place.';
        comment on column %1$I.publications.row_count is 'How many rows were put in place.';
        $sql$,
        schema_name
    );
end
$$;

-- Keep what is public now, for a rollback.
create or replace function landing.keep_previous(published_schema text)
returns void
language plpgsql
set row_security = off
as $$
declare
    kept_schema constant text := 'previous_' || published_schema;
    kept text;
begin
    execute format('drop schema if exists %I cascade', kept_schema);
    execute format('create schema %I', kept_schema);
    for kept in
        execute format(
            'select relation from %I.publications union all select ''publications''',
            published_schema
        )
    loop
        -- Not "create table … as": it would forget which columns are required.
        execute format(
            'create table %1$I.%3$I (like %2$I.%3$I)', kept_schema, published_schema, kept
        );
        execute format(
            'insert into %1$I.%3$I table %2$I.%3$I', kept_schema, published_schema, kept
        );
    end loop;
end
$$;

-- Drop what the run that becomes public has not made. Something that depends on it, such
-- as a view of yours, keeps it from being dropped, and everything as it was.
create or replace function landing.drop_unpublished(published_schema text, relations text [])
returns void
language plpgsql as $$
declare
    dropped text;
begin
    for dropped in
        execute format(
            'delete from %I.publications where not relation = any($1) returning relation',
            published_schema
        )
        using relations
    loop
        execute format('drop table %I.%I', published_schema, dropped);
    end loop;
end
$$;

-- Schemas in which relations are published.
create or replace function landing.published_schemas()
returns setof text
language sql stable as $$
    select nspname::text
    from pg_class
    inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where relname = 'publications' and relkind = 'r' and nspname not like 'previous\_%'
$$;

-- The agreement with a partner, in words.
create or replace function landing.agreement_of(this_partner_id text)
returns text
language sql stable as $$
    select
        format(
            '%s, contract %s, %s to %s', partner_name, contract_version,
            agreement_starts_on, agreement_ends_on
        )
    from landing.partners
    where partner_id = this_partner_id
$$;

-- Enter in the record of disclosures which roles may read which district's students: for
-- every relation of a run with a row a student or more, and every role that is granted it.
create or replace function landing.record_disclosures(this_run_id text)
returns void
language plpgsql
set row_security = off
as $$
declare
    made record;
begin
    for made in
        select
            relations.schema_name || '.' || relations.relation as name,
            access_purposes.role,
            access_purposes.purpose,
            access_purposes.interest
        from landing.run_relations as relations
        inner join pg_class
            on
                pg_class.relnamespace = relations.schema_name::regnamespace
                and pg_class.relname = relations.relation
        cross join aclexplode(pg_class.relacl) as grants
        inner join pg_roles on grants.grantee = pg_roles.oid
        inner join policy.access_purposes as access_purposes
            on pg_roles.rolname = access_purposes.role
        where
            relations.run_id = this_run_id
            and grants.privilege_type = 'SELECT'
            and 2 = (
                select count(*) from pg_attribute
                where
                    attrelid = pg_class.oid
                    and attname in ('district_id', 'district_student_id')
            )
    loop
        execute format(
            $sql$
            insert into landing.disclosures (
                partner_id, agreement, party, interest, purpose, disclosed, run_id, row_count
            )
            select
                district_id,
                landing.agreement_of(district_id),
                case when $1 = 'outcomes_district' then $1 || '_' || district_id else $1 end,
                $2, $3, $4, $5,
                count(*)
            from %s
            group by district_id
            $sql$,
            made.name
        )
        using made.role, made.interest, made.purpose, made.name, this_run_id;
    end loop;
end
$$;

-- Put everything in place that a complete run has built and tested.
create or replace function landing.publish_run(this_run_id text)
returns void
language plpgsql
-- "already exists, skipping" is no news.
set client_min_messages = warning
as $$
declare
    this landing.runs;
    made record;
    copied bigint;
    published_schema text;
begin
    perform pg_advisory_xact_lock(hashtext('outcomes.publish'));
    select * into this from landing.runs where run_id = this_run_id;
    if this.status is distinct from 'passed' then
        raise exception 'Run % cannot be published: it is %, not passed.',
            this_run_id, coalesce(this.status, 'unknown');
    end if;
    if exists (select from landing.runs where started_at > this.started_at) then
        raise exception 'Run % cannot be published: a later run has built over it.', this_run_id;
    end if;
    -- Emptied by a crash like all that is not logged, such as the crosswalk in
    -- next_identity, and else never without a row.
    if not exists (select from identity.int_identity_pass) then
        raise exception
            'Run % cannot be published: the server has crashed since, and emptied tables of it.',
            this_run_id
            using hint = 'Run `outcomes build`.';
    end if;

    for published_schema in select landing.published_schemas() loop
        perform landing.keep_previous(published_schema);
    end loop;
    for published_schema in
        select distinct schema_name from landing.run_relations where run_id = this_run_id
    loop
        execute format('create schema if not exists %I', published_schema);
        perform landing.create_publications(published_schema);
    end loop;
    for published_schema in select landing.published_schemas() loop
        perform landing.drop_unpublished(
            published_schema,
            array(
                select relation from landing.run_relations
                where run_id = this_run_id and schema_name = published_schema
            )
        );
    end loop;
    for made in select * from landing.run_relations where run_id = this_run_id loop
        copied := landing.publish_relation(made.schema_name, made.relation);
        update landing.run_relations
        set row_count = copied
        where run_id = this_run_id
            and schema_name = made.schema_name
            and relation = made.relation;
        execute format(
            $sql$
            insert into %I.publications as publications values ($1, $2, $3, now(), $4)
            on conflict (relation) do update
            set (run_id, as_of_date, published_at, row_count)
                = (excluded.run_id, excluded.as_of_date, now(), excluded.row_count)
            $sql$,
            made.schema_name
        )
        using made.relation, this_run_id, this.as_of_date, copied;
    end loop;
    -- Whoever reads one relation of a schema may know which run made it.
    for published_schema in select landing.published_schemas() loop
        perform landing.set_grants(
            format('%I.publications', published_schema)::regclass,
            (
                select
                    array_agg(makeaclitem(grants.grantee, class.relowner, 'SELECT', false))
                from pg_class as class
                cross join aclexplode(class.relacl) as grants
                inner join landing.run_relations as relations
                    on
                        relations.run_id = this_run_id
                        and relations.schema_name = published_schema
                        and class.relname = relations.relation
                where
                    class.relnamespace = published_schema::regnamespace
                    and grants.privilege_type = 'SELECT'
            )
        );
    end loop;
    insert into landing.measure_history
    select
        run_id, school_year, district_id, program_group, involvement, measure, n_involved,
        n_not_involved, value_involved, value_not_involved, gap, is_suppressed
    from marts.rpt_measure_history
    where run_id = this_run_id;
    perform landing.record_disclosures(this_run_id);
    update landing.runs
    set status = 'published', published_at = now()
    where run_id = this_run_id;
end
$$;

-- Put back what was public before the last publication; the run that is public then.
-- Rows and columns only: grants and policies are today's decisions, not part of the data.
create or replace function landing.roll_back()
returns text
language plpgsql
set row_security = off
set client_min_messages = warning
as $$
declare
    restored_run text;
    published_schema text;
    kept_schema text;
    kept text;
    kept_relations text [];
begin
    perform pg_advisory_xact_lock(hashtext('outcomes.publish'));
    update landing.runs
    set status = 'withdrawn'
    where run_id = (
        select run_id from landing.runs
        where status = 'published'
        order by published_at desc
        limit 1
    );
    for published_schema in select landing.published_schemas() loop
        kept_schema := 'previous_' || published_schema;
        kept_relations := '{}';
        if to_regclass(format('%I.publications', kept_schema)) is not null then
            execute format(
                'select coalesce(array_agg(relation), ''{}''), max(run_id) from %I.publications',
                kept_schema
            )
            into kept_relations, restored_run;
        end if;
        perform landing.drop_unpublished(published_schema, kept_relations);
        foreach kept in array kept_relations loop
            execute format(
                'create table if not exists %1$I.%3$I (like %2$I.%3$I)',
                published_schema, kept_schema, kept
            );
            perform landing.copy_content(
                format('%I.%I', kept_schema, kept)::regclass,
                format('%I.%I', published_schema, kept)::regclass
            );
            execute format('analyze %I.%I', published_schema, kept);
        end loop;
        if kept_relations <> '{}' then
            perform landing.copy_content(
                format('%I.publications', kept_schema)::regclass,
                format('%I.publications', published_schema)::regclass
            );
        end if;
        execute format('drop schema if exists %I cascade', kept_schema);
    end loop;
    if restored_run is null then
        raise exception 'There is no earlier publication to go back to.';
    end if;
    return restored_run;
end
$$;

-- What became of a run, in a sentence.
create or replace function landing.verdict(this_run_id text)
returns text
language sql stable as $$
    select
        case runs.status
            when 'published'
                then format(
                    'Published: %s relations, as of %s, run %s.',
                    (select count(*) from landing.run_relations where run_id = this_run_id),
                    coalesce(runs.as_of_date::text, 'no delivery'),
                    this_run_id
                )
            when 'partial'
                then 'Not published: only a complete `dbt build` is.'
            when 'passed'
                then 'Not published: built and tested, and no more.'
            else
                'Not published: something failed. What people read is as it was.'
        end
    from landing.runs as runs
    where runs.run_id = this_run_id
$$;
