"""A publication replaces all published relations, or none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date

import psycopg
import pytest
from tests.python.conftest import copied
from tests.python.pipeline.content import content_hashes
from tests.python.publishing.warehouse import (
    SCHEMAS,
    definitions,
    pretend_build,
    public_run,
    publish,
    roll_back,
)
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.reports.status import read_status
from outcomes.warehouse.connection import connect
from outcomes.warehouse.migrations import migrations

FEWER_STUDENTS = "delete from next_marts.dim_students where district_id = 'clairton';"


def count(connection: psycopg.Connection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_every_relation_has_its_run(connection: psycopg.Connection) -> None:
    run_id = public_run(connection)
    (newest,) = connection.execute(
        "select max(as_of_date) from landing.files where status = 'loaded'"
    ).fetchall()[0]
    for schema in SCHEMAS:
        assert public_run(connection, schema) == run_id
        rows = connection.execute(
            f"select relation, as_of_date, row_count from {schema}.publications "
            "inner join publishing.run_relations using (run_id, relation) where schema_name = %s"
            .encode(), [schema],
        ).fetchall()  # fmt: skip
        assert len(rows) == count(connection, f"{schema}.publications") > 0
        for relation, as_of_date, row_count in rows:
            assert count(connection, f"{schema}.{relation}") == row_count
            assert as_of_date == newest
    made = connection.execute(
        """
        select
            status, started_at < finished_at and finished_at < published_at,
            code_version, model_version, contract_versions->>'clairton', nodes->>'success'
        from publishing.runs where run_id = %s
        """,
        [run_id],
    ).fetchone()
    assert made is not None
    assert made[:2] == ("published", True)
    assert all(made)


def columns_of(connection: psycopg.Connection, relation: str) -> list[str]:
    rows = connection.execute(
        "select attname from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        [relation],
    )
    return [name for (name,) in rows]


def test_publications_tell_no_numbers_of_rows(connection: psycopg.Connection) -> None:
    """Every reader of a schema reads the table, also about relations of other readers."""
    told = ["relation", "run_id", "as_of_date", "published_at"]
    for schema in SCHEMAS:
        assert columns_of(connection, f"{schema}.publications") == told

    # Earlier releases had them, and a migration drops them.
    connection.execute(
        "alter table marts.publications add column row_count bigint not null default 7"
    )
    drop = migrations()["0006_keys_and_counts"].partition("do $$")
    text = "".join(drop[1:]).replace("landing.run_relations", "publishing.run_relations")
    connection.execute(text.encode())
    assert columns_of(connection, "marts.publications") == told
    publish(connection, pretend_build(connection))
    assert columns_of(connection, "marts.publications") == told


def test_the_published_rows_are_the_tested_ones(connection: psycopg.Connection) -> None:
    publish(connection, pretend_build(connection, FEWER_STUDENTS))
    for schema in SCHEMAS:
        if schema.startswith("district_"):
            continue
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


def test_a_crash_empties_no_published_relation(connection: psycopg.Connection) -> None:
    """A crash empties unlogged tables; only those that a build makes again may be unlogged."""
    unlogged = connection.execute(
        """
        select distinct relnamespace::regnamespace::text from pg_class
        where relpersistence = 'u' and relkind = 'r'
        """
    ).fetchall()
    assert {schema for (schema,) in unlogged} <= {
        "staging", "deliveries", "intermediate", "analysis", "identity",
    }  # fmt: skip
    crosswalk = (
        "select relpersistence from pg_class where oid = 'identity.person_crosswalk'::regclass"
    )
    assert connection.execute(crosswalk.encode()).fetchone() == ("p",)


def test_only_one_rollback_is_possible(
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
    statuses = connection.execute(
        "select status from publishing.runs order by run_number"
    ).fetchall()
    assert statuses == [("published",), ("withdrawn",)]
    with pytest.raises(OutcomesError, match="no earlier publication"):
        CliRunner().invoke(cli, ["rollback"], catch_exceptions=False)
    assert content_hashes(connection) == rows


def test_a_clock_that_was_ahead_blocks_no_publication(
    connection: psycopg.Connection, published: Settings
) -> None:
    ahead = pretend_build(connection)
    publish(connection, ahead)
    connection.execute(
        """
        update publishing.runs
        set
            started_at = started_at + interval '1 year',
            finished_at = finished_at + interval '1 year',
            published_at = published_at + interval '1 year'
        where run_id = %s
        """,
        [ahead],
    )
    for _ in range(2):
        later = pretend_build(connection)
        publish(connection, later)
        assert public_run(connection) == later
        found = read_status(connection, published, date(2012, 10, 5))
        assert found.last_run == found.published_run
        assert found.last_run is not None and found.last_run.run_id == later
    roll_back(connection)
    roll_back_again = pretend_build(connection)
    publish(connection, roll_back_again)
    assert public_run(connection) == roll_back_again


def test_a_rollback_restores_a_relation_that_is_no_longer_built(
    connection: psycopg.Connection,
) -> None:
    rows = content_hashes(connection)
    publish(connection, pretend_build(connection, "drop table next_marts.fct_assessments"))
    assert rows.keys() - content_hashes(connection).keys() == {"marts.fct_assessments"}

    roll_back(connection)

    assert content_hashes(connection) == rows


def test_a_rollback_keeps_the_history_of_headline_figures(
    connection: psycopg.Connection,
) -> None:
    (first,) = {
        run for (run,) in connection.execute("select run_id from publishing.measure_history")
    }
    kept = "select count(*), count(gap) from {} where run_id = %s"
    in_ledger = connection.execute(kept.format("publishing.measure_history").encode(), [first])
    in_mart = connection.execute(kept.format("marts.rpt_measure_history").encode(), [first])
    published = connection.execute(
        """
        select count(*), count(gap)
        from marts_public.rpt_outcome_gaps
        inner join policy.outcome_measures using (measure)
        where quoted_in is not null and program_group = 'any' and involvement = 'ever'
        """
    ).fetchall()
    assert in_ledger.fetchall() == in_mart.fetchall() == published
    assert published[0][1] > 5

    second = pretend_build(
        connection, "update next_marts.rpt_measure_history set run_id = '{run_id}'"
    )
    publish(connection, second)
    roll_back(connection)

    for run_id in (first, second):
        rows = connection.execute(kept.format("publishing.measure_history").encode(), [run_id])
        assert rows.fetchall() == published
    rows = connection.execute(kept.format("marts.rpt_measure_history").encode(), [second])
    assert rows.fetchall() == [(0, 0)]


def test_a_refilled_relation_keeps_its_views(
    connection: psycopg.Connection,
) -> None:
    connection.execute(
        "create view marts.my_students as select student_key, person_id from marts.dim_students"
    )
    defined = definitions(connection)
    assert len(defined["views"]) == 1
    publish(connection, pretend_build(connection, FEWER_STUDENTS))
    assert definitions(connection) == defined
    assert count(connection, "marts.my_students") == count(connection, "marts.dim_students")
    roll_back(connection)
    assert definitions(connection) == defined


def test_a_changed_description_keeps_the_relation(
    connection: psycopg.Connection,
) -> None:
    described = """
        comment on table next_marts.dim_schools is 'One row per school, in other words.';
        comment on column next_marts.dim_schools.school_name is null;
    """
    before = connection.execute("select 'marts.dim_schools'::regclass::oid").fetchone()
    publish(connection, pretend_build(connection, described))
    assert connection.execute(
        """
        select oid, obj_description(oid), col_description(oid, (
            select attnum from pg_attribute where attrelid = oid and attname = 'school_name'
        ))
        from pg_class where oid = 'marts.dim_schools'::regclass
        """
    ).fetchone() == (*(before or ()), "One row per school, in other words.", None)


def test_a_publication_replaces_manual_grants(
    connection: psycopg.Connection,
) -> None:
    defined = definitions(connection)
    connection.execute(
        """
        create role holder;
        create role heir;
        grant insert, select on marts.dim_students to holder with grant option;
        grant usage on schema marts to holder;
        set role holder;
        grant insert on marts.dim_students to heir;
        reset role;
        revoke usage on schema marts from holder;
        grant select (last_name) on marts.dim_students to outcomes_analyst, public;
        """
    )
    try:
        assert definitions(connection) != defined
        publish(connection, pretend_build(connection))
        assert definitions(connection) == defined

        readers = ["outcomes_analyst", "nobody_has_made_this_role"]
        publish(connection, pretend_build(connection, readers={"marts.dim_students": readers}))
        granted = "select has_table_privilege(%s, 'marts.dim_students', 'select')"
        for role, may in (("outcomes_analyst", True), ("outcomes_steward", False)):
            assert connection.execute(granted, [role]).fetchone() == (may,)
            # The readers are the current ones, whatever rows are restored.
        roll_back(connection)
        for role, may in (("outcomes_analyst", True), ("outcomes_steward", False)):
            assert connection.execute(granted, [role]).fetchone() == (may,)
    finally:
        connection.execute("drop owned by holder, heir; drop role holder, heir")


def test_nobody_can_read_an_unpublished_build(connection: psycopg.Connection) -> None:
    granted = connection.execute(
        """
        select pg_class.oid::regclass::text
        from pg_class cross join aclexplode(relacl) as acl
        where relnamespace::regnamespace::text ~ '^(next|previous)_' and grantee <> relowner
        """
    ).fetchall()
    assert granted == []


def test_a_changed_definition_is_published(connection: psycopg.Connection) -> None:
    rows, defined = content_hashes(connection), definition(connection, "marts.dim_schools")
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
    changed = definition(connection, "marts.dim_schools")
    assert changed == definition(connection, "next_marts.dim_schools") != defined
    assert count(connection, "marts.dim_schools where has_gym") > 5
    reads = "select has_table_privilege('outcomes_public', 'marts.dim_schools', 'select')"
    assert connection.execute(reads).fetchone() == (True,)

    roll_back(connection)
    assert definition(connection, "marts.dim_schools") == defined
    assert content_hashes(connection) == rows
    assert connection.execute(reads).fetchone() == (True,)


def definition(connection: psycopg.Connection, relation: str) -> object:
    return connection.execute("select publishing.definition_of(%s)", [relation]).fetchone()


@pytest.mark.parametrize(
    "change",
    [
        "drop table next_marts.dim_schools",
        "alter table next_marts.dim_schools drop column school_name",
        "alter table next_marts.dim_schools add column has_gym boolean",
    ],
)
def test_a_view_prevents_a_changed_definition(change: str, connection: psycopg.Connection) -> None:
    connection.execute("create view public.names as select school_name from marts.dim_schools")
    rows, defined = content_hashes(connection), definitions(connection)
    run_id = pretend_build(connection, FEWER_STUDENTS + change)

    with pytest.raises(
        psycopg.errors.DependentObjectsStillExist, match=r"view public\.names depends on table"
    ):
        publish(connection, run_id)

    assert content_hashes(connection) == rows
    assert definitions(connection) == defined


def test_a_district_reads_its_own_rows_of_every_relation(connection: psycopg.Connection) -> None:
    def check() -> int:
        own = connection.execute(
            """
            select schema_name, built_in, relation, row_filter, readers
            from publishing.run_relations
            where run_id = publishing.published_run() and schema_name like 'district\\_%'
            """
        ).fetchall()
        for schema, built_in, relation, row_filter, readers in own:
            district = schema.removeprefix("district_")
            assert readers == [f"outcomes_district_{district}"]
            assert row_filter in (f"district_id = '{district}'", f"partner_id = '{district}'")
            assert count(connection, f"{schema}.{relation}") == count(
                connection, f"{built_in}.{relation} where {row_filter}"
            )
        return len(own)

    assert check() > 30
    publish(connection, pretend_build(connection, FEWER_STUDENTS))
    # Only of the changed relation: the mart for the district is another one.
    publish(
        connection,
        pretend_build(connection, FEWER_STUDENTS.replace("next_marts", "next_marts_district")),
    )
    assert count(connection, "district_clairton.dim_students") == 0
    check()
    roll_back(connection)
    assert count(connection, "district_clairton.dim_students") > 0
    check()


def test_the_schema_of_a_former_district_is_dropped(connection: psycopg.Connection) -> None:
    connection.execute("delete from landing.partners where partner_id = 'clairton'")
    publish(connection, pretend_build(connection))
    assert connection.execute("select to_regnamespace('district_clairton')").fetchone() == (None,)
    assert count(connection, "district_pittsburgh.dim_students") > 0


LOSSES = [
    ("delete from next_marts.dim_students where district_id = 'clairton'",
     "district_id clairton of marts.dim_students"),
    ("delete from next_marts.fct_student_years where school_year = 2012",
     "school_year 2012 of marts.fct_student_years"),
    ("""delete from next_marts.fct_assessments where student_key in (
        select student_key from next_marts.fct_assessments order by student_key limit
        (select count(*) / 10 from next_marts.fct_assessments))""",
     "rows of marts.fct_assessments"),
    ("drop table next_marts.fct_involvements", "marts.fct_involvements as a whole"),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "words"), LOSSES)
def test_a_run_with_missing_rows_is_held_until_accepted(
    loss: str, words: str, connection: psycopg.Connection
) -> None:
    rows, first = content_hashes(connection), public_run(connection)
    held = pretend_build(connection, loss)
    publish(connection, held, because="")
    query = (
        "select status, missing_rows, loss_accepted_because from publishing.runs where run_id = %s"
    )
    status, missing, because = connection.execute(query, [held]).fetchone() or ()
    assert (status, because) == ("held", None)
    assert words in missing
    verdict = connection.execute("select publishing.verdict(%s)", [held]).fetchone()
    assert words in str(verdict)
    assert "--accept-loss" in str(verdict)
    assert content_hashes(connection) == rows
    assert public_run(connection) == first

    accepted = pretend_build(connection)
    publish(connection, accepted, because="the school was closed")
    assert connection.execute(query, [accepted]).fetchone() == (
        "published", missing, "the school was closed",
    )  # fmt: skip
    assert public_run(connection) == accepted


def test_rows_that_a_release_takes_away_are_no_loss(connection: psycopg.Connection) -> None:
    connection.execute(
        "insert into publishing.redefined_relations values ('marts.fct_assessments', 'a test')"
    )
    loss, _ = LOSSES[2]
    run_id = pretend_build(connection, loss)
    publish(connection, run_id, because="")
    assert public_run(connection) == run_id
    publish(connection, pretend_build(connection, loss), because="")
    assert public_run(connection) == run_id


def test_a_run_with_another_key_of_pseudonyms_is_held_until_accepted(
    connection: psycopg.Connection,
) -> None:
    def attempt(key: str, because: str) -> tuple[str, str | None, str]:
        connection.execute("select set_config('outcomes.pseudonym_key', %s, false)", [key])
        run_id = pretend_build(connection)
        publish(connection, run_id, because)
        row = connection.execute(
            "select status, loss_accepted_because, publishing.verdict(run_id) "
            "from publishing.runs where run_id = %s",
            [run_id],
        ).fetchone()
        assert row is not None
        return row

    first, second = "a1b2c3d4" * 5, "0f9e8d7c" * 9
    own_key = "select key from privacy.pseudonym_key where not is_in_environment"
    before = connection.execute(own_key.encode()).fetchall()
    status, _, verdict = attempt(first, "")
    assert status == "held"
    assert "every pseudonym would change" in verdict
    assert "--accept-loss" in verdict
    assert "would be missing" not in verdict
    # The warehouse's own key is still there, and in force.
    assert connection.execute(own_key.encode()).fetchall() == before
    assert attempt("", "")[0] == "published"
    assert attempt(first, "moved the key")[:2] == ("published", "moved the key")
    assert connection.execute(own_key.encode()).fetchall() == []
    assert attempt(first, "")[:2] == ("published", None)
    assert attempt(second, "")[0] == "held"
    fingerprints = connection.execute("select key_fingerprint from publishing.runs").fetchall()
    assert not any(key in str(fingerprints) for key in (first, second, before[0][0].hex()))


def test_a_few_rows_fewer_are_no_loss(connection: psycopg.Connection) -> None:
    fewer = """
        delete from next_marts.fct_student_years where student_key = (
            select min(student_key) from next_marts.fct_student_years
        )
    """
    run_id = pretend_build(connection, fewer)
    publish(connection, run_id, because="")
    assert connection.execute(
        "select status, missing_rows, loss_accepted_because from publishing.runs where run_id = %s",
        [run_id],
    ).fetchone() == ("published", None, None)


def test_only_the_newest_run_is_published(connection: psycopg.Connection) -> None:
    older = pretend_build(connection)
    newer = pretend_build(connection)
    for run_id, words in ((older, "a later run"), ("nonsense", "unknown, not passed")):
        with pytest.raises(psycopg.errors.RaiseException, match=words):
            publish(connection, run_id)
    publish(connection, newer)
    with pytest.raises(psycopg.errors.RaiseException, match="is published, not passed"):
        publish(connection, newer)


# Points at which a publication is killed: the relations that it waits for.
HALF_WAY = ["identity.match_quality", "marts.dim_students", "district_clairton.dim_students"]
MORE_HALF_WAYS = [
    "marts.dim_dates", "marts.fct_student_years", "marts.rpt_early_warnings",
    "marts_district.dim_students", "marts_public.rpt_outcome_gaps", "quality.file_issues",
    "district_pittsburgh.file_issues",
]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "half_way"),
    [(publish, relation) for relation in HALF_WAY]
    + [(lambda connection, _: roll_back(connection), HALF_WAY[0])]
    + [pytest.param(publish, relation, marks=pytest.mark.slow) for relation in MORE_HALF_WAYS],
)
def test_a_killed_publication_changes_nothing(
    act: Callable[[psycopg.Connection, str], None],
    half_way: str,
    half_published: tuple[Settings, str],
) -> None:
    published, run_id = half_published
    died = threading.Event()

    def start(victim: psycopg.Connection) -> None:
        try:
            act(victim, run_id)
        except (psycopg.OperationalError, OutcomesError):
            died.set()

    with (
        connect(published) as connection,
        connect(published) as victim,
        connect(published) as blocker,
    ):
        rows = content_hashes(connection)
        with blocker.transaction():
            # The publication waits at this table.
            blocker.execute(f"lock table {half_way} in exclusive mode".encode())
            thread = threading.Thread(target=start, args=[victim])
            thread.start()
            waiting = "select from pg_locks where not granted and pid = %s"
            while not connection.execute(waiting, [victim.info.backend_pid]).fetchall():
                assert thread.is_alive()
            connection.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
            thread.join()
        assert died.is_set()
        assert content_hashes(connection) == rows


@pytest.fixture(scope="module")
def half_published(first_publication: Settings) -> Iterator[tuple[Settings, str]]:
    """A warehouse with two publications and a third run to publish; no kill changes it."""
    with copied(first_publication, "half_published") as settings:
        with connect(settings) as connection:
            publish(connection, pretend_build(connection))
            run_id = pretend_build(connection, FEWER_STUDENTS)
        yield settings, run_id


def test_a_killed_client_leaves_a_complete_publication(
    published: Settings, connection: psycopg.Connection
) -> None:
    run_id = pretend_build(connection, FEWER_STUDENTS)
    publication = (
        "from outcomes.warehouse.connection import connect\n"
        f"connect().execute(\"select publishing.publish_run('{run_id}', 'a test')\")"
    )
    others = """
        select from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and {}
    """
    with connect(published) as blocker, blocker.transaction():
        blocker.execute("lock table marts_public.rpt_outcome_gaps in exclusive mode")
        client = subprocess.Popen(
            [sys.executable, "-c", publication],
            env=os.environ | {"PGOPTIONS": "-c role=outcomes_builder"},
        )
        while not connection.execute(others.format("wait_event_type = 'Lock'").encode()).fetchall():
            assert client.poll() is None
        client.kill()
        client.wait()
        assert run_id not in {public_run(connection, schema) for schema in SCHEMAS}
    # The server completes the running statement.
    while connection.execute(others.format("query like '%publish_run%'").encode()).fetchall():
        pass
    assert {public_run(connection, schema) for schema in SCHEMAS} == {run_id}
    assert count(connection, "marts.dim_students where district_id = 'clairton'") == 0
