-- Brings a warehouse from before the migrations to 0001: any state since the release a56df5d,
-- so each step may be done already. Migrations after this one know what they find.

alter table landing.files
    add column if not exists rows_not_for_us bigint not null default 0,
    add column if not exists lines_not_for_us bigint not null default 0,
    add column if not exists is_delta boolean,
    add column if not exists counts_before_join jsonb,
    add column if not exists rows_in_snapshot bigint,
    drop constraint if exists files_check1,
    add constraint files_check1 check (
        lines = header_lines + blank_lines + trailer_lines
        + lines_loaded + lines_rejected + lines_not_for_us
    );
alter table landing.rejected_rows
    add column if not exists is_of_join boolean not null default false;
alter table landing.value_issues
    add column if not exists is_of_join boolean not null default false;
alter table landing.contract_objects
    drop constraint contract_objects_snapshot_check,
    add constraint contract_objects_snapshot_check check (
        snapshot in ('school_year', 'cumulative', 'delta', 'exempt', 'reference')
    );

alter table landing.runs
    drop constraint if exists runs_status_check,
    drop column if exists audited_at,
    add column if not exists failed_nodes text [],
    add column if not exists missing_rows text,
    add column if not exists loss_accepted_because text;
alter table landing.run_relations
    add column if not exists readers text [] not null default '{}',
    add column if not exists built_in text not null default '',
    add column if not exists row_filter text not null default 'true';
alter table landing.run_relations
    alter column readers drop default,
    alter column built_in drop default;

-- Suppressed cells, from before public figures were perturbed.
drop table if exists landing.hidden_counts, landing.withheld_gaps;

drop index if exists raw.clients_client;

-- Seeds and functions of dbt that are gone, or have other arguments. The next build makes all
-- functions again, so those that somebody's own view calls may stay.
drop table if exists policy.deidentification, policy.student_t_coefficients;
do $$
declare
    function regprocedure;
begin
    for function in
        select oid from pg_proc
        where
            pronamespace = to_regnamespace('functions')
            and not exists (
                select from pg_depend
                where refclassid = 'pg_proc'::regclass and refobjid = pg_proc.oid
            )
    loop
        execute format('drop function %s', function);
    end loop;
end
$$;

-- Those releases cannot be rolled back to: they did not keep where a relation was built.
do $$
declare
    kept_schema text;
begin
    if exists (select from landing.run_relations where built_in = '') then
        for kept_schema in select nspname from pg_namespace where nspname like 'previous\_%' loop
            execute format('drop schema %I cascade', kept_schema);
        end loop;
    end if;
end
$$;

insert into landing.redefined_relations (relation, reason)
select relation, reason
from (
    values
    ('identity.person_crosswalk', 'client records that are not linked are no longer listed'),
    ('marts_public.rpt_outcome_gaps', 'only school years that have ended are public')
) as redefined (relation, reason)
where exists (select from landing.run_relations where built_in = '');
