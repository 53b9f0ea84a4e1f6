"""Migrations of the ledger, changes of raw, and warehouses of other releases."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg import sql
from tests.python.conftest import TESTED, UNTESTED, cloned, run_dbt, try_dbt
from tests.python.landing.commands import run
from tests.python.landing.deliveries import deliver
from tests.python.pipeline.content import landed_counts

from outcomes.access.roles import apply_access
from outcomes.config import PROJECT_DIR, Settings, load_settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import delivered_file
from outcomes.warehouse.connection import connect
from outcomes.warehouse.migrations import LEDGER_SCHEMAS, migrations
from outcomes.warehouse.tables import unread_columns

# A published warehouse of the oldest release that can be upgraded, by `pg_dump --inserts`, without
# rows that a build makes again.
OLDEST = Path(__file__).with_name("a56df5d.sql.xz")

# An earlier raw.yml.
EARLIER = """
    alter table raw.students drop column suffix, alter line_number type integer;
    alter table raw.gpas alter gpa type numeric(5, 2);
    alter table raw.clients alter updated_at type date;
    alter table raw.enrollments add column counselor text;
    drop table raw.schools;
"""
CHANGES = {
    "raw.clients.updated_at was date, is timestamp without time zone",
    "raw.gpas.gpa was numeric(5,2), is numeric",
    "raw.schools is new",
    "raw.students.line_number was integer, is bigint",
    "raw.students.suffix is new: text",
}

# Tables of the oldest release that have other names now.
MOVED = {
    "landing.disclosures": "privacy.disclosures",
    "landing.link_decisions": "linking.decisions",
    "landing.measure_history": "publishing.measure_history",
    "landing.pseudonym_key": "privacy.pseudonym_key",
    "landing.purges": "privacy.purges",
    "landing.run_relations": "publishing.run_relations",
    "landing.runs": "publishing.runs",
}

# Everything in raw and the ledger, by name.
DEFINITIONS = """
    with objects as (
        select
            'column' as kind, attrelid::regclass::text || '.' || attname as name,
            format(
                '%%s %%s %%s %%s', format_type(atttypid, atttypmod), attnotnull, attidentity,
                pg_get_expr(adbin, adrelid)
            ) as definition
        from pg_attribute
        inner join pg_class on attrelid = pg_class.oid
        left join pg_attrdef on (adrelid, adnum) = (attrelid, attnum)
        where
            relnamespace::regnamespace::text = any(%(schemas)s)
            and relkind = 'r' and attnum > 0 and not attisdropped
        union all
        select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        from pg_constraint
        where connamespace::regnamespace::text = any(%(schemas)s)
        union all
        select 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        from pg_index
        inner join pg_class on indrelid = pg_class.oid
        where relnamespace::regnamespace::text = any(%(schemas)s)
        union all
        select 'function', oid::regprocedure::text, pg_get_functiondef(oid) || proacl::text
        from pg_proc
        where pronamespace::regnamespace::text = any(%(schemas)s)
        union all
        select 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(pg_trigger.oid)
        from pg_trigger
        inner join pg_class on tgrelid = pg_class.oid
        where
            relnamespace::regnamespace::text = any(%(schemas)s) and not tgisinternal
        union all
        select relkind::text, oid::regclass::text, ''
        from pg_class
        where relnamespace::regnamespace::text = any(%(schemas)s)
    )
    select kind, name, definition from objects order by 1, 2
"""


def definitions(connection: psycopg.Connection) -> list[tuple[str, str, str]]:
    schemas = {"schemas": ["raw", *LEDGER_SCHEMAS]}
    return connection.execute(DEFINITIONS.encode(), schemas).fetchall()


@pytest.fixture
def deliveries(demo_drops: Path) -> list[Path]:
    return sorted((demo_drops / "clairton").iterdir())


@pytest.fixture
def earlier(connection: psycopg.Connection, deliveries: list[Path]) -> psycopg.Connection:
    """A warehouse with a landed delivery and the raw tables of an earlier raw.yml."""
    run("land", deliveries[0])
    connection.execute(EARLIER.encode())
    connection.execute("update raw.enrollments set counselor = 'someone'")
    return connection


@pytest.fixture
def oldest(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A warehouse of the oldest release; the environment points at it."""
    settings = replace(warehouse, database="oldest")
    with connect(warehouse) as server:
        server.execute("create database oldest")
        try:
            with connect(settings) as connection:
                # A function may come before the tables that it reads.
                connection.execute("set check_function_bodies = off")
                connection.execute(lzma.decompress(OLDEST.read_bytes()))
            monkeypatch.setenv("OUTCOMES_PG_DATABASE", "oldest")
            yield settings
        finally:
            server.execute("drop database oldest with (force)")


def lines(output: str) -> set[str]:
    return {line.strip() for line in output.splitlines() if re.match(r"\s+\w+", line)}


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [int(name[:4]) for name in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+", name) for name in migrations())
    project = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["vars"]["ledger"] == numbers[-1]


def test_an_upgraded_warehouse_is_defined_as_a_new_one(oldest: Settings, empty: Settings) -> None:
    with connect(oldest) as connection:
        before = definitions(connection)
        rows = landed_counts(connection)
        run("warehouse", "upgrade", "--dry-run")
        assert definitions(connection) == before
        changes = lines(run("warehouse", "upgrade")[1])
        assert {f"{was} is now {now}" for was, now in MOVED.items()} <= changes
        kept = {f"{column}" for column in unread_columns(connection)}
        upgraded = [entry for entry in definitions(connection) if entry[1] not in kept]
        with connect(empty) as new:
            assert upgraded == definitions(new)
        after = landed_counts(connection)
        kept_tables = rows.keys() - {"landing.hidden_counts", "landing.withheld_gaps"}
        assert {name: rows[name] for name in kept_tables} == {
            name: after[MOVED.get(name, name)] for name in kept_tables
        }
        ran = connection.execute(
            "select script from warehouse.migrations where script <> 'functions' "
            "order by applied_at"
        ).fetchall()
        assert [name for (name,) in ran] == list(migrations())

        again = definitions(connection), after
        assert "Nothing to change." in run("warehouse", "upgrade")[1]
        assert (definitions(connection), landed_counts(connection)) == again


def test_a_build_after_the_upgrade_is_a_new_warehouses(
    oldest: Settings, seeded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows of raw give the same public relations, and nothing else is left."""
    run("warehouse", "upgrade")
    with cloned(seeded, "fresh") as fresh, connect(fresh) as new, connect(oldest) as upgraded:
        apply_access(upgraded, district_ids(load_contracts().values()))
        apply_access(new, district_ids(load_contracts().values()))
        copy_rows(upgraded, new)
        monkeypatch.setenv("OUTCOMES_TARGET", "prod")
        assert "Published: " in run_dbt(oldest, *TESTED)
        monkeypatch.setenv("OUTCOMES_TARGET", "in_place")
        run_dbt(fresh, *UNTESTED)

        public = upgraded.execute(
            """
            select schema_name || '.' || relation from publishing.run_relations
            where run_id = publishing.published_run() and schema_name = built_in
            """
        ).fetchall()
        assert len(public) > 50
        differing = [
            name
            for (name,) in public
            # It has the figures of the earlier publication, too.
            if name != "marts.rpt_measure_history"
            and rows_hash(upgraded, name) != rows_hash(new, name)
        ]
        assert differing == []
        assert upgraded.execute("select * from publishing.redefined_relations").fetchall() == []
        assert made_by_builds(upgraded) == made_by_builds(new)


def copy_rows(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Copy what is landed and decided, with the pseudonyms' key."""
    target.execute("set session_replication_role = replica")
    tables = target.execute(
        """
        select table_schema || '.' || table_name, string_agg(column_name, ', ')
        from information_schema.columns
        where
            table_schema = 'raw'
            or (table_schema = 'landing' and table_name <> 'migrations')
            or table_schema in ('linking', 'privacy')
            or (table_schema = 'publishing' and table_name not in ('runs', 'run_relations'))
        group by 1
        """
    ).fetchall()
    for table, columns in tables:
        target.execute(f"delete from {table}".encode())
        with (
            source.cursor().copy(f"copy {table} ({columns}) to stdout".encode()) as rows,
            target.cursor().copy(f"copy {table} ({columns}) from stdin".encode()) as copied,
        ):
            for block in rows:
                copied.write(block)


def rows_hash(connection: psycopg.Connection, relation: str) -> object:
    return connection.execute(
        f"select count(*), md5(string_agg(md5(r::text), '' order by r::text)) from {relation} as r"
        .encode()
    ).fetchone()  # fmt: skip


def test_policies_have_the_seeds_columns_before_the_next_build(oldest: Settings) -> None:
    """Dashboards read them as soon as the code is new."""
    with connect(oldest) as connection:
        connection.execute(
            "insert into policy.discrepancy_rules (rule_id, valid_from_school_year) "
            "values ('achieve', 2003)"
        )
        run("warehouse", "upgrade")
        assert connection.execute(
            "select rule_id, first_school_year, last_school_year from policy.discrepancy_rules"
        ).fetchall() == [("achieve", 2003, None)]


def test_services_of_a_model_that_is_gone_are_dropped(connection: psycopg.Connection) -> None:
    """A purge would not find them."""
    connection.execute(
        """
        create schema if not exists intermediate;
        create table intermediate.int_linked_services (source_id text);
        delete from warehouse.migrations where script = '0014_linked_services';
        """
    )
    run("warehouse", "upgrade")
    left = "select to_regclass('intermediate.int_linked_services')"
    assert connection.execute(left).fetchone() == (None,)


def made_by_builds(connection: psycopg.Connection) -> set[str]:
    """Schemas, relations and functions, without what only a publication makes."""
    rows = connection.execute(
        """
        with made as (
            select nspname as schema_name, '' as name from pg_namespace
            union all
            select nspname, relname from pg_class
            inner join pg_namespace on relnamespace = pg_namespace.oid
            where relkind in ('r', 'v', 'S')
            union all
            select nspname, pg_proc.oid::regprocedure::text from pg_proc
            inner join pg_namespace on pronamespace = pg_namespace.oid
        )
        select schema_name || ' ' || name from made
        where schema_name !~ '^(pg_|next_|district_)' and name <> 'publications'
        """
    )
    return {name for (name,) in rows}


def test_a_migration_that_fails_changes_nothing_and_can_be_repeated(
    oldest: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = migrations() | {
        "9998_good": "create table landing.good ()",
        "9999_broken": "create table landing.broken (); select 1 / 0",
    }
    monkeypatch.setattr("outcomes.warehouse.migrations.migrations", lambda: broken)
    tables = "select to_regclass('landing.good'), to_regclass('landing.broken')"
    with connect(oldest) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            run("warehouse", "upgrade")
        assert connection.execute(tables).fetchone() == ("landing.good", None)
        with pytest.raises(OutcomesError, match="of an earlier release"):
            run("land", PROJECT_DIR / "docs" / "onboarding" / "drops")
        broken["9999_broken"] = "create table landing.broken ()"
        assert "migration 9999_broken" in lines(run("warehouse", "upgrade")[1])
        assert connection.execute(tables).fetchone() == ("landing.good", "landing.broken")


def test_a_warehouse_of_an_earlier_release_names_the_upgrade(oldest: Settings) -> None:
    with connect(oldest) as connection:
        before = definitions(connection)
        for words in (
            ("land", PROJECT_DIR / "docs" / "onboarding" / "drops"), ("build",), ("status",),
            ("access", "apply"), ("replay",), ("purge", "--partner", "clairton", "--yes"),
        ):  # fmt: skip
            with pytest.raises(OutcomesError, match="run `outcomes warehouse upgrade`"):
                run(*words)
        output = try_dbt(oldest, "run", "--select", "int_file_statuses", role="").output
        assert "run `outcomes warehouse upgrade`" in output
        assert definitions(connection) == before


def test_an_earlier_release_finds_migrations_that_it_does_not_know(
    connection: psycopg.Connection,
) -> None:
    """It looks for them in landing, and would take a warehouse without any for an older one."""
    query = "select script from landing.migrations"
    assert set(migrations()) <= {script for (script,) in connection.execute(query)}


def test_a_warehouse_of_a_later_release_names_the_code(
    database: Settings, connection: psycopg.Connection
) -> None:
    connection.execute("insert into warehouse.migrations (script) values ('9999_later')")
    before = definitions(connection)
    for words in (("warehouse", "upgrade"), ("build",), ("status",)):
        with pytest.raises(OutcomesError, match=r"of a later release.*9999_later.*git pull"):
            run(*words)
    output = try_dbt(database, "run", "--select", "int_file_statuses", role="").output
    assert "of a later release" in output
    assert definitions(connection) == before


def test_a_dry_run_of_landing_creates_nothing(
    warehouse: Settings, deliveries: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(warehouse) as server:
        server.execute("create database blank")
        try:
            monkeypatch.setenv("OUTCOMES_PG_DATABASE", "blank")
            code, output = run("land", deliveries[0], "--dry-run")
            assert code == 0
            assert "Would be landed" in output
            with connect() as connection:
                schemas = "select to_regnamespace('landing'), to_regnamespace('raw')"
                assert connection.execute(schemas).fetchone() == (None, None)
        finally:
            server.execute("drop database blank with (force)")


def test_an_upgrade_waits_for_a_build(database: Settings, connection: psycopg.Connection) -> None:
    connection.execute("set application_name = 'dbt'")
    with pytest.raises(OutcomesError, match="A build is running"):
        run("warehouse", "upgrade")
    assert run("warehouse", "upgrade", "--dry-run")[0] == 0


def test_changed_functions_are_replaced_and_old_ones_dropped(
    connection: psycopg.Connection,
) -> None:
    before = definitions(connection)
    connection.execute(
        """
        create function publishing.finish_run(text, text, date, jsonb) returns void
        language sql as '';
        grant execute on function landing.take_back_joined(bigint) to pg_monitor;
        create or replace function publishing.published_run()
        returns text language sql as 'select 1';
        update warehouse.migrations set checksum = 'of an earlier text' where script = 'functions';
        """
    )
    with pytest.raises(OutcomesError, match="run `outcomes warehouse upgrade`"):
        run("build")
    output = lines(run("warehouse", "upgrade")[1])
    assert "publishing.finish_run(text,text,date,jsonb) is dropped" in output
    may = (
        "select has_function_privilege('pg_monitor', 'landing.take_back_joined(bigint)', 'execute')"
    )
    assert connection.execute(may).fetchone() == (True,)
    connection.execute(
        "revoke execute on function landing.take_back_joined(bigint) from pg_monitor"
    )
    assert definitions(connection) == before


def test_an_earlier_raw_keeps_its_rows_and_takes_the_next_delivery(
    earlier: psycopg.Connection, deliveries: list[Path]
) -> None:
    rows, before = landed_counts(earlier), definitions(earlier)
    with pytest.raises(OutcomesError, match="run `outcomes warehouse upgrade`"):
        run("land", deliveries[1])
    code, output = run("warehouse", "upgrade", "--dry-run")
    assert code == 0
    assert lines(output) == CHANGES | {"raw.enrollments.counselor"}
    assert definitions(earlier) == before

    assert lines(run("warehouse", "upgrade")[1]) == CHANGES | {"raw.enrollments.counselor"}
    assert landed_counts(earlier) == rows | {"raw.schools": 0, "warehouse.upgrades": len(CHANGES)}
    recorded = earlier.execute("select change from warehouse.upgrades").fetchall()
    assert {change for (change,) in recorded} == CHANGES
    assert earlier.execute(
        "select bool_and(counselor = 'someone') from raw.enrollments"
    ).fetchone() == (True,)

    assert "Nothing to change." in run("warehouse", "upgrade")[1]
    assert run("land", deliveries[1])[0] in (0, 3)
    assert landed_counts(earlier)["raw.students"] > rows["raw.students"]


def test_an_upgraded_raw_is_defined_as_a_new_one(connection: psycopg.Connection) -> None:
    new = definitions(connection)
    connection.execute(EARLIER.encode())
    assert definitions(connection) != new
    run("warehouse", "upgrade")
    connection.execute("alter table raw.enrollments drop column counselor")
    assert definitions(connection) == new


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_column_that_would_become_narrower_stops_the_upgrade(
    options: tuple[str, ...], earlier: psycopg.Connection, deliveries: list[Path]
) -> None:
    earlier.execute("alter table raw.students alter birth_date type text")
    before = definitions(earlier)
    message = r"raw\.students\.birth_date is text, and raw\.yml says date.*Nothing was changed"
    for words in (("warehouse", "upgrade", *options), ("land", deliveries[1])):
        with pytest.raises(OutcomesError, match=message):
            run(*words)
    assert definitions(earlier) == before


def test_a_view_in_the_way_is_named_unless_a_build_makes_it_again(
    earlier: psycopg.Connection,
) -> None:
    earlier.execute(
        """
        create schema staging;
        create view staging.stg_lines as select line_number from raw.students;
        create schema deliveries;
        create view deliveries.int_lines as select line_number from staging.stg_lines;
        create schema ana;
        create view ana.lines as select line_number from raw.students
        """
    )
    before = definitions(earlier)
    with pytest.raises(OutcomesError, match=r"raw were not changed: .*ana\.lines"):
        run("warehouse", "upgrade")
    assert definitions(earlier) == before
    earlier.execute("drop view ana.lines")
    assert run("warehouse", "upgrade")[0] == 0
    for view in ("staging.stg_lines", "deliveries.int_lines"):
        assert earlier.execute("select to_regclass(%s)", [view]).fetchone() == (None,)


def test_a_backup_of_an_earlier_release_is_upgraded(
    oldest: Settings, warehouse: Settings, empty: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with connect(warehouse) as server:
        if server.info.server_version < 170000:
            pytest.skip("a backup is restored into PostgreSQL 17 or newer")
        archived = deliver(tmp_path, "drops/clairton/2012-10-03/invented.xlsx", b"x")
        Archive.of(load_settings()).keep(delivered_file(archived, "clairton", None))
        run("warehouse", "backup", tmp_path / "backup", tmp_path / "safe")
        server.execute(sql.SQL("create database restored"))
        try:
            monkeypatch.setenv("OUTCOMES_PG_DATABASE", "restored")
            run("warehouse", "restore", tmp_path / "backup", tmp_path / "safe")
            assert "Nothing to change." in run("warehouse", "upgrade")[1]
            with connect(replace(warehouse, database="restored")) as restored:
                kept = unread_columns(restored)
                with connect(empty) as new:
                    assert [
                        entry for entry in definitions(restored) if entry[1] not in kept
                    ] == definitions(new)
        finally:
            server.execute("drop database restored with (force)")
