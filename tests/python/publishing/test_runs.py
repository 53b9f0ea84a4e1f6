"""Only a complete `dbt build` that passed is published, and only one runs at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from tests.python.conftest import TESTED, run_dbt, try_dbt
from tests.python.pipeline.content import content_hashes
from tests.python.publishing.warehouse import definitions, pretend_build

from outcomes.config import PROJECT_DIR, Settings
from outcomes.warehouse.connection import connect


def newest_status(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "select status from landing.runs order by started_at desc limit 1"
    ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("partial", "status"),
    [
        (("run", "--select", "dim_districts"), "partial"),
        ((*TESTED, "--exclude-resource-type", "function"), "partial"),
        # Some tests are no SQL without rows.
        (("build", "--empty", "--fail-fast"), "failed"),
    ],
)
def test_a_partial_run_is_not_published(
    partial: tuple[str, ...], status: str, published: Settings, connection: psycopg.Connection
) -> None:
    # The copy's functions name the database that they are from.
    run_dbt(published, "build", "--resource-type", "function")
    before = content_hashes(connection)
    # Where dbt fails fast it ends its other sessions, which the tests' role may not.
    done = try_dbt(published, *partial, role="")
    assert "Not published: " in done.said
    assert newest_status(connection) == status
    assert content_hashes(connection) == before


def test_a_failed_test_leaves_what_people_read(
    published: Settings, connection: psycopg.Connection
) -> None:
    before, defined = content_hashes(connection), definitions(connection)
    # A reject that nobody listed.
    connection.execute("delete from landing.rejected_rows")
    done = try_dbt(published, "build", "--fail-fast", role="")
    assert not done.success
    assert "Not published: something failed." in done.said
    assert newest_status(connection) == "failed"
    assert content_hashes(connection) == before
    assert definitions(connection) == defined


def test_a_target_without_schemas_of_its_own_does_not_build_over_it(
    published: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = ("run", "--select", "stg_files")
    monkeypatch.setenv("OUTCOMES_TARGET", "dev")
    assert "OUTCOMES_TARGET=dev would build over it" in try_dbt(published, *select).said

    monkeypatch.setenv("OUTCOMES_SCHEMA_PREFIX", "ana_")
    run_dbt(published, *select)
    monkeypatch.delenv("OUTCOMES_TARGET")
    run_dbt(published, *select)
    assert newest_status(connection) == "published"

    monkeypatch.setenv("OUTCOMES_TARGET", "prod")
    assert "OUTCOMES_SCHEMA_PREFIX is for" in try_dbt(published, *select).said


def test_a_second_run_says_why_not_and_a_killed_one_is_in_nobodys_way(
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
    # Held up, or a quick machine has built everything before the second run gives up.
    with connect(published) as holder, holder.transaction():
        holder.execute("lock table landing.files")
        try:
            while newest_status(connection) != "running":
                assert first.poll() is None
            with pytest.raises(
                psycopg.errors.RaiseException, match="Another run is under way: dbt build"
            ):
                pretend_build(connection)
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
    assert newest_status(connection) == "running"

    pretend_build(connection)

    statuses = connection.execute("select status from landing.runs order by started_at").fetchall()
    assert statuses == [("published",), ("abandoned",), ("passed",)]
