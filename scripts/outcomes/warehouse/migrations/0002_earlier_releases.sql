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
