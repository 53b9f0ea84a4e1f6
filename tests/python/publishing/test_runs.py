"""Only a complete `dbt build` that passed is published, and only one runs at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from tests.python.conftest import TESTED, WITH_SEEDS, run_dbt, try_dbt
from tests.python.landing.commands import run
from tests.python.parsed_projects import parsed, parsed_for_outcomes
from tests.python.pipeline.content import content_hashes
from tests.python.publishing.warehouse import definitions, pretend_build

from outcomes.access.logins import make_login
from outcomes.access.roles import DEVELOPER
from outcomes.config import PROJECT_DIR, Settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect


def newest_status(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "select status from landing.runs order by started_at desc limit 1"
    ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    "partial",
    [
        ("run", "--select", "dim_districts"),
        pytest.param((*TESTED, "--exclude-resource-type", "function"), marks=pytest.mark.slow),
    ],
)
def test_a_partial_run_is_not_published(
    partial: tuple[str, ...], published: Settings, connection: psycopg.Connection
) -> None:
    # The functions in the copy name the original database.
    run_dbt(published, "build", "--resource-type", "function")
    before = content_hashes(connection)
    done = try_dbt(published, *partial)
    assert "Not published: " in done.output
    assert newest_status(connection) == "partial"
    assert content_hashes(connection) == before


def test_a_failed_test_publishes_nothing(
    published: Settings, connection: psycopg.Connection
) -> None:
    # With fail-fast dbt ends its other sessions, which the tests' role may not do. The owner may
    # build where there are no builders.
    connection.execute("revoke create on database published from outcomes_builder")
    before, defined = content_hashes(connection), definitions(connection)
    # A rejected row without a fault in the ledger.
    connection.execute("delete from landing.rejected_rows")
    done = try_dbt(published, "build", "--fail-fast", role="")
    assert not done.success
    assert "Not published: something failed." in done.output
    assert newest_status(connection) == "failed"
    (failed,) = connection.execute(
        "select failed_nodes from landing.runs where failed_nodes is not null"
    ).fetchall()
    assert failed == (["every_line_is_accounted_for"],)
    assert content_hashes(connection) == before
    assert definitions(connection) == defined


def test_a_developers_build_publishes_nothing(
    published: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, defined = content_hashes(connection), definitions(connection)
    monkeypatch.delenv("OUTCOMES_TARGET")
    monkeypatch.setenv("OUTCOMES_SCHEMA_PREFIX", "ana_")
    make_login(connection, "dana", "dana", DEVELOPER)
    try:
        run_dbt(published, *WITH_SEEDS, "--select", "+dim_districts", "program_groups", role="dana")
        # The key of development, because the warehouse's is secret.
        run_dbt(published, "test", "--select", "stg_pseudonym_key", role="dana")
        schemas = {
            schema
            for (schema,) in connection.execute(
                "select nspname from pg_namespace where nspowner = 'dana'::regrole"
            )
        }
        assert {"ana_marts", "ana_policy", "ana_staging"} <= schemas
        assert all(schema.startswith("ana_") for schema in schemas)
        assert newest_status(connection) == "published"
        assert content_hashes(connection) == rows
        # Nobody else may read these schemas.
        others = connection.execute(
            """
            select rolname, nspname
            from pg_namespace cross join pg_roles
            where
                nspowner = 'dana'::regrole and rolname <> 'dana'
                and not rolsuper and rolname !~ '^pg_'
                and has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'usage')
            union all
            select relname, grantee::regrole::text
            from pg_class cross join aclexplode(relacl)
            where relowner = 'dana'::regrole and grantee <> relowner
            """
        ).fetchall()
        assert others == []
    finally:
        connection.execute("drop owned by dana cascade; drop role dana")
    assert definitions(connection) == defined


def test_a_developer_can_defer_to_published_relations(
    published: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("OUTCOMES_TARGET", "in_place")
    manifest = parsed(PROJECT_DIR, published.database)
    assert manifest is not None
    manifest.write(str(tmp_path / "manifest.json"))
    monkeypatch.setenv("OUTCOMES_TARGET", "dev")
    select = ("--select", "district_dim_students", "--defer", "--state", str(tmp_path))
    run_dbt(published, "build", *select, role="")
    own, published_rows = (
        connection.execute(f"select count(*) from {schema}.dim_students".encode()).fetchone()
        for schema in ("dev_outcomes_marts_district", "marts_district")
    )
    assert own == published_rows
    assert connection.execute("select to_regnamespace('dev_outcomes_staging')").fetchone() == (
        None,
    )


def test_an_unknown_target_cannot_overwrite_published_relations(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_TARGET", "in_place")
    output = try_dbt(published, "run", "--select", "stg_files").output
    assert "the target in_place would build over it" in output


def test_a_day_before_the_first_delivery_is_refused(
    published: Settings, connection: psycopg.Connection
) -> None:
    (first,) = connection.execute("select min(as_of_date) from landing.files").fetchall()[0]
    with (
        parsed_for_outcomes(published.database),
        pytest.raises(
            OutcomesError,
            match=f"On 1999-01-01 nothing had been delivered. Expected an as-of date of {first}",
        ),
    ):
        run("build", "--as-of", "1999-01-01")
    assert newest_status(connection) == "published"


@pytest.mark.slow
def test_a_build_of_an_earlier_day_is_held(
    published: Settings, connection: psycopg.Connection
) -> None:
    def marts() -> dict[str, str]:
        hashes = content_hashes(connection)
        return {name: rows for name, rows in hashes.items() if name.startswith("marts")}

    rows = marts()
    code, output = run("build", "--as-of", "2012-08-30")
    assert code == 3, output
    assert "Held, not published: " in output
    assert newest_status(connection) == "held"
    assert marts() == rows


@pytest.mark.slow
def test_an_accepted_build_of_an_earlier_day_is_published(
    published: Settings, connection: psycopg.Connection
) -> None:
    code, output = run("build", "--as-of", "2012-08-30", "--accept-loss", "it's a test")
    assert code == 0, output
    assert connection.execute(
        "select loss_accepted_because, missing_rows <> '' from landing.runs "
        "where run_id = landing.published_run()"
    ).fetchone() == ("it's a test", True)


@pytest.mark.slow
def test_a_second_run_is_refused_and_a_killed_one_does_not_block(
    published: Settings, connection: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "profiles.yml").write_text((PROJECT_DIR / "profiles.example.yml").read_text())
    first = subprocess.Popen(
        [str(Path(sys.executable).with_name("dbt")), "build", "--project-dir", str(PROJECT_DIR),
         "--profiles-dir", str(tmp_path), "--target-path", str(tmp_path / "target"),
         "--log-path", str(tmp_path / "logs"), "--threads", "1"],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"OUTCOMES_PG_DATABASE": published.database},
    )  # fmt: skip
    # Delayed, or a fast machine ends the build before the second run gives up.
    with connect(published) as holder, holder.transaction():
        holder.execute("lock table landing.files")
        try:
            while newest_status(connection) != "running":
                assert first.poll() is None
                time.sleep(0.2)
            with pytest.raises(
                psycopg.errors.RaiseException, match="Another run is in progress: dbt build"
            ):
                pretend_build(connection)
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
    assert newest_status(connection) == "running"

    pretend_build(connection)

    statuses = connection.execute("select status from landing.runs order by started_at").fetchall()
    assert statuses == [("published",), ("abandoned",), ("passed",)]
