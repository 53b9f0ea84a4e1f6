"""A publication replaces what people read as a whole, or not at all."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import psycopg
import pytest
from tests.python.pipeline.content import content_hashes
from tests.python.publishing.warehouse import (
    SCHEMAS,
    definitions,
    pretend_build,
    public_run,
    publish,
)
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.warehouse import publishing
from outcomes.warehouse.connection import connect

FEWER_STUDENTS = "delete from next_marts.dim_students where district_id = 'clairton';"


def count(connection: psycopg.Connection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_every_relation_carries_the_run_that_made_it(connection: psycopg.Connection) -> None:
    run_id = public_run(connection)
    (newest,) = connection.execute(
        "select max(as_of_date) from landing.files where status = 'loaded'"
    ).fetchall()[0]
    for schema in SCHEMAS:
        assert public_run(connection, schema) == run_id
        rows = connection.execute(f"select * from {schema}.publications".encode()).fetchall()
        assert rows
        for relation, _, as_of_date, _, row_count in rows:
            assert count(connection, f"{schema}.{relation}") == row_count
            assert as_of_date == newest
    made = connection.execute(
        """
        select
            status, started_at < finished_at and finished_at < published_at,
            code_version, model_version, contract_versions->>'clairton', nodes->>'success'
        from landing.runs where run_id = %s
        """,
        [run_id],
    ).fetchone()
    assert made is not None
    assert made[:2] == ("published", True)
    assert all(made)


def test_people_read_the_rows_that_were_tested(connection: psycopg.Connection) -> None:
    publish(connection, pretend_build(connection, FEWER_STUDENTS))
    for schema in SCHEMAS:
        for (relation,) in connection.execute(
            f"select relation from {schema}.publications".encode()
        ).fetchall():
            different = f"""
                (table {schema}.{relation} except all table next_{schema}.{relation})
                union all
                (table next_{schema}.{relation} except all table {schema}.{relation})
            """
            assert connection.execute(different.encode()).fetchall() == []
    assert count(connection, "marts.dim_students") > 100


def test_a_crash_empties_nothing_that_people_read(connection: psycopg.Connection) -> None:
    """PostgreSQL empties what is not logged; only what a build makes again may be."""
    unlogged = {
        (schema, name)
        for schema, name in connection.execute(
            """
            select pg_namespace.nspname, pg_class.relname
            from pg_class
            inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
            where pg_class.relpersistence = 'u' and pg_class.relkind = 'r'
            """
        )
    }

    assert ("identity", "int_identity_linked_deliveries") in unlogged
    assert ("identity", "int_identity_assignments") not in unlogged
    assert ("next_identity", "person_crosswalk") in unlogged
    unlogged.remove(("next_identity", "person_crosswalk"))
    assert {schema for schema, _ in unlogged} == {"staging", "intermediate", "identity"}
    assert all(name.startswith("int_identit") for schema, name in unlogged if schema == "identity")


def test_what_a_crash_has_emptied_is_not_published(connection: psycopg.Connection) -> None:
    before = content_hashes(connection)
    emptied = "truncate next_identity.person_crosswalk, identity.int_identity_pass;"
    run_id = pretend_build(connection, emptied)

    with pytest.raises(psycopg.errors.RaiseException, match="the server has crashed since"):
        publish(connection, run_id)

    assert content_hashes(connection) == before
    assert public_run(connection) != run_id


def test_rollback_puts_the_last_one_back_and_then_there_is_nothing_older(
    connection: psycopg.Connection,
) -> None:
    first, rows, defined = (
        public_run(connection),
        content_hashes(connection),
        definitions(connection),
    )
    new_relation = "create table next_marts.dim_new as select 1 as a;"
    publish(connection, pretend_build(connection, FEWER_STUDENTS + new_relation))
    assert content_hashes(connection).keys() - rows.keys() == {"marts.dim_new"}

    done = CliRunner().invoke(cli, ["rollback"])

    assert done.exit_code == 0
    assert first in done.output
    assert public_run(connection) == first
    assert content_hashes(connection) == rows
    assert definitions(connection) == defined
    statuses = connection.execute("select status from landing.runs order by started_at").fetchall()
    assert statuses == [("published",), ("withdrawn",)]
    with pytest.raises(OutcomesError, match="no earlier publication"):
        CliRunner().invoke(cli, ["rollback"], catch_exceptions=False)
    assert content_hashes(connection) == rows


def test_a_rollback_brings_back_a_relation_that_is_no_longer_built(
    connection: psycopg.Connection,
) -> None:
    rows = content_hashes(connection)
    publish(connection, pretend_build(connection, "drop table next_marts.fct_assessments"))
    assert rows.keys() - content_hashes(connection).keys() == {"marts.fct_assessments"}

    publishing.roll_back(connection)

    assert content_hashes(connection) == rows


def test_the_history_of_the_headline_figures_outlives_a_rollback(
    connection: psycopg.Connection,
) -> None:
    (first,) = {run for (run,) in connection.execute("select run_id from landing.measure_history")}
    kept = "select count(*), count(gap) from {} where run_id = %s"
    in_ledger = connection.execute(kept.format("landing.measure_history").encode(), [first])
    in_mart = connection.execute(kept.format("marts.rpt_measure_history").encode(), [first])
    published = connection.execute(
        """
        select count(*), count(gap)
        from marts_public.rpt_outcome_gaps
        inner join policy.headline_figures using (measure, program_group, involvement)
        """
    ).fetchall()
    assert in_ledger.fetchall() == in_mart.fetchall() == published
    assert published[0][1] > 5

    second = pretend_build(
        connection, "update next_marts.rpt_measure_history set run_id = '{run_id}'"
    )
    publish(connection, second)
    publishing.roll_back(connection)

    for run_id in (first, second):
        rows = connection.execute(kept.format("landing.measure_history").encode(), [run_id])
        assert rows.fetchall() == published
    rows = connection.execute(kept.format("marts.rpt_measure_history").encode(), [second])
    assert rows.fetchall() == [(0, 0)]


def test_what_hangs_on_a_relation_survives(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        create role reader;
        create role writer;
        create view marts.my_students as select student_key, person_id from marts.dim_students;
        grant select on marts.my_students to reader;
        grant select on next_marts.dim_students to reader;
        grant select on next_quality.feed_freshness to public;
        drop policy all_rows on next_marts.dim_students;
        alter table next_marts.dim_students alter column person_id set statistics 0;
        create policy own_rows on next_marts.dim_students for select to reader
        using (district_id in (select 'clairton'));
        """
    )
    try:
        publish(connection, pretend_build(connection))
        defined = definitions(connection)
        assert len([policy for policy in defined["policies"] if "clairton" in str(policy)]) == 1
        assert len(defined["views"]) == 1
        with connection.transaction(force_rollback=True):
            connection.execute("grant usage on schema marts to reader; set local role reader")
            districts = "select distinct district_id from marts.dim_students"
            assert connection.execute(districts.encode()).fetchall() == [("clairton",)]
            # Who reads one relation may ask for its run.
            assert public_run(connection)

        # A build makes the table anew, with what the project says of it.
        rebuilt = """
            create table next_marts.new (like next_marts.dim_students including all);
            insert into next_marts.new table next_marts.dim_students;
            drop table next_marts.dim_students;
            alter table next_marts.new rename to dim_students;
            alter table next_marts.dim_students enable row level security;
            alter table next_marts.dim_students alter column person_id set statistics 0;
            create policy own_rows on next_marts.dim_students for select to reader
            using (district_id in (select 'clairton'));
            alter table next_marts.dim_students owner to outcomes_builder;
            grant select on next_marts.dim_students to outcomes_steward, reader;
            comment on table next_marts.dim_students is 'One row per district student.';
        """
        # What the project does not say does not stay.
        connection.execute(
            """
            grant insert on marts.dim_students to writer with grant option;
            grant select on marts.dim_students to reader with grant option;
            grant usage on schema marts to writer, reader;
            set role writer;
            grant insert on marts.dim_students to reader;
            set role reader;
            grant select on marts.dim_students to outcomes_steward, outcomes_analyst;
            reset role;
            revoke usage on schema marts from writer, reader;
            grant select (last_name) on marts.dim_students to outcomes_analyst, public;
            create policy everything on marts.dim_students for select using (true);
            """
        )
        assert definitions(connection)["columns"] != defined["columns"]
        publish(connection, pretend_build(connection, rebuilt))
        after = definitions(connection)
        comments = [table for table in after["tables"] if "One row per district student." in table]
        assert len(comments) == 1
        assert {**after, "tables": None} == {**defined, "tables": None}
        assert {table[:-1] for table in after["tables"]} == {
            table[:-1] for table in defined["tables"]
        }

        publishing.roll_back(connection)
        assert {**definitions(connection), "tables": None} == {**defined, "tables": None}
    finally:
        connection.execute("drop owned by reader, writer; drop role reader, writer")


def test_a_changed_definition_is_published_with_the_rows(connection: psycopg.Connection) -> None:
    before = content_hashes(connection)
    publish(
        connection,
        pretend_build(
            connection,
            """
            alter table next_marts.dim_schools drop column school_name;
            alter table next_marts.dim_schools add column has_gym boolean not null default true;
            alter table next_marts.dim_schools alter column school_code type varchar(9);
            alter table next_marts.dim_schools alter column school_code drop not null;
            alter table next_marts.dim_schools add unique (school_key, district_id);
            create index on next_marts.dim_schools (district_id);
            """,
        ),
    )
    columns = "select name, type, is_required from landing.columns_of('{}.dim_schools')"
    rules = "select definition from landing.rules_of('{}.dim_schools')"
    for query in (columns, rules):
        published, built = (
            set(connection.execute(query.format(schema).encode()).fetchall())
            for schema in ("marts", "next_marts")
        )
        assert published == built
        assert len(built) > 1
    assert count(connection, "marts.dim_schools where has_gym") > 5

    publishing.roll_back(connection)
    # A column that comes back stands last, so rows are compared by name.
    assert content_hashes(connection).keys() == before.keys()
    assert count(connection, "marts.dim_schools where school_name is not null") > 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("drop table next_marts.dim_schools", "drop table marts.dim_schools"),
        ("alter table next_marts.dim_schools drop column school_name", "drop column school_name"),
        (
            "alter table next_marts.dim_schools alter column school_name type varchar(200)",
            "alter type of a column used by a view",
        ),
    ],
)
def test_a_definition_that_a_view_needs_is_not_taken_away(
    change: str, words: str, connection: psycopg.Connection
) -> None:
    connection.execute("create view public.names as select school_name from marts.dim_schools")
    rows, defined = content_hashes(connection), definitions(connection)
    run_id = pretend_build(connection, FEWER_STUDENTS + change)

    with pytest.raises(OutcomesError, match="view names") as refused:
        publishing.publish(connection, run_id)

    assert words in str(refused.value)
    assert content_hashes(connection) == rows
    assert definitions(connection) == defined


def test_only_the_newest_run_is_published(connection: psycopg.Connection) -> None:
    older = pretend_build(connection)
    newer = pretend_build(connection)
    for run_id, words in ((older, "a later run"), ("nonsense", "unknown, not passed")):
        with pytest.raises(psycopg.errors.RaiseException, match=words):
            publish(connection, run_id)
    publish(connection, newer)
    with pytest.raises(psycopg.errors.RaiseException, match="is published, not passed"):
        publish(connection, newer)


@pytest.mark.parametrize("act", [publish, lambda connection, _: publishing.roll_back(connection)])
def test_one_that_is_killed_half_way_changes_nothing(
    act: Callable[[psycopg.Connection, str], None],
    published: Settings,
    connection: psycopg.Connection,
) -> None:
    publish(connection, pretend_build(connection))
    rows = content_hashes(connection)
    run_id = pretend_build(connection, FEWER_STUDENTS)
    died = threading.Event()

    def start(victim: psycopg.Connection) -> None:
        try:
            act(victim, run_id)
        except (psycopg.OperationalError, OutcomesError):
            died.set()

    with connect(published) as victim, connect(published) as blocker, blocker.transaction():
        # Whatever comes first, it gets as far as this table and no further.
        blocker.execute("lock table marts_public.rpt_outcome_gaps in exclusive mode")
        thread = threading.Thread(target=start, args=[victim])
        thread.start()
        waiting = "select from pg_locks where not granted and pid = %s"
        while not connection.execute(waiting, [victim.info.backend_pid]).fetchall():
            assert thread.is_alive()
        connection.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
        thread.join()
    assert died.is_set()
    assert content_hashes(connection) == rows


def test_a_client_that_is_killed_leaves_the_publication_whole(
    published: Settings, connection: psycopg.Connection
) -> None:
    run_id = pretend_build(connection, FEWER_STUDENTS)
    publication = (
        "from outcomes.warehouse.connection import connect\n"
        f"connect().execute(\"select landing.publish_run('{run_id}')\")"
    )
    others = """
        select from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and {}
    """
    with connect(published) as blocker, blocker.transaction():
        blocker.execute("lock table marts_public.rpt_outcome_gaps in exclusive mode")
        client = subprocess.Popen([sys.executable, "-c", publication])
        while not connection.execute(others.format("wait_event_type = 'Lock'").encode()).fetchall():
            assert client.poll() is None
        client.kill()
        client.wait()
        assert run_id not in {public_run(connection, schema) for schema in SCHEMAS}
    # The server does to the end what was begun.
    while connection.execute(others.format("query like '%publish_run%'").encode()).fetchall():
        pass
    assert {public_run(connection, schema) for schema in SCHEMAS} == {run_id}
    assert count(connection, "marts.dim_students where district_id = 'clairton'") == 0
