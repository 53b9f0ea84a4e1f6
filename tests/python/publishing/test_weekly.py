"""A week without new files publishes nothing, and links are those of the published run."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from dbt.cli.main import dbtRunnerResult
from tests.python.landing.commands import run
from tests.python.publishing.warehouse import pretend_build, publish, roll_back

from outcomes.config import PROJECT_DIR, Settings
from outcomes.errors import OutcomesError
from outcomes.publishing import runs
from outcomes.publishing.runs import code_version, is_up_to_date, reading_built


@pytest.fixture
def current(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection:
    """A warehouse published by the current code, from the present content of the ledger."""
    monkeypatch.setattr(runs, "code_version", lambda: "v1-0-gabc")
    connection.execute("update publishing.runs set code_version = 'v1-0-gabc'")
    return connection


# Archived long before the last run: the loader was killed before it landed, or took long.
LATE_FILE = (
    "insert into landing.files (partner_id, file_name, sha256, as_of_date, received_at, status) "
    "values ('clairton', 'late', 'x', '2012-09-03', '2012-09-03', 'loaded')"
)


def test_a_warehouse_is_up_to_date_until_something_changes(current: psycopg.Connection) -> None:
    assert is_up_to_date(current)
    for change in (
        "update publishing.runs set code_version = 'v1-1-gdef'",
        LATE_FILE,
        "update landing.files set received_at = now() where file_id = 1",
        "update landing.files set released_at = now() where file_id = 1",
        "update landing.contract_objects set feeds = '{}' where partner_id = 'clairton'",
        "update landing.partners set contract_version = '9.9.9' where partner_id = 'clairton'",
        "insert into linking.decisions (student_key, other_record_type, other_record_key, "
        "decision, decided_by, reason) values ('clairton:1', 'client', 'x:1', 'link', 'a', 'b')",
        # A purge.
        "delete from landing.files where file_id = (select max(file_id) from landing.files)",
    ):
        with current.transaction(force_rollback=True):
            current.execute(change.encode())
            assert not is_up_to_date(current), change
    pretend_build(current)
    assert not is_up_to_date(current)


def test_what_lands_while_a_run_builds_is_built_by_the_next(current: psycopg.Connection) -> None:
    as_published = (
        "update publishing.runs set code_version = 'v1-0-gabc', "
        "as_of_date = (select max(as_of_date) from landing.files where status = 'loaded')"
    )
    publish(current, pretend_build(current, f"set role {current.info.user}; {LATE_FILE}"))
    current.execute(as_published.encode())
    assert not is_up_to_date(current)
    publish(current, pretend_build(current))
    current.execute(as_published.encode())
    assert is_up_to_date(current)


def test_the_content_of_the_ledger_is_the_same_in_every_session(
    current: psycopg.Connection,
) -> None:
    current.execute("set timezone = 'Asia/Kolkata'; set datestyle = 'German'")
    current.execute("set intervalstyle = 'iso_8601'")
    assert is_up_to_date(current)


def test_files_that_differ_from_the_commit_are_always_built(
    current: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "code_version", lambda: "v1-0-gabc-dirty")
    current.execute("update publishing.runs set code_version = 'v1-0-gabc-dirty'")
    assert not is_up_to_date(current)


def test_a_week_without_new_files_builds_nothing(
    current: psycopg.Connection, demo_drops: Path, published: Settings
) -> None:
    code, output = run("weekly", demo_drops)
    # Some files of the demo are broken on purpose.
    assert code in (0, 3), output
    assert "Nothing has changed since the last publication" in output
    assert current.execute("select count(*) from publishing.runs").fetchone() == (1,)


def test_a_missing_column_is_a_fault_unless_other_code_built(
    current: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read() -> None:
        with reading_built(current, "marts.dim_students"):
            current.execute("select nothing from marts.dim_students")

    with pytest.raises(psycopg.errors.UndefinedColumn):
        read()
    monkeypatch.setattr(runs, "code_version", lambda: "v1-1-gdef")
    with pytest.raises(OutcomesError, match=r"built by other code, v1-0-gabc: .*nothing"):
        read()
    current.execute("drop table marts.dim_students cascade")
    with pytest.raises(OutcomesError, match=r"it has no marts\.dim_students"):
        read()


def test_the_code_version_names_the_commit_or_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OUTCOMES_CODE_VERSION", "of-an-image")
    assert code_version() == "of-an-image"
    monkeypatch.delenv("OUTCOMES_CODE_VERSION")
    if not (PROJECT_DIR / ".git").exists():
        pytest.skip("no checkout")
    assert re.fullmatch(r"(.+-\d+-g)?[0-9a-f]{7,40}(-dirty)?", code_version())


@pytest.mark.parametrize(
    "command",
    [
        ("link", "review"),
        ("link", "explain", "pittsburgh:1"),
        ("link", "evaluate", "--truth", "{truth}"),
    ],
)
def test_after_a_rollback_links_cannot_be_reviewed(
    command: tuple[str, ...], connection: psycopg.Connection, demo_drops: Path
) -> None:
    publish(connection, pretend_build(connection))
    roll_back(connection)
    truth = str(demo_drops.parent / "truth")
    with pytest.raises(OutcomesError, match=r"which is withdrawn.*Run `outcomes build` first"):
        run(*(part.format(truth=truth) for part in command))


def test_an_interrupted_build_is_reported(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def __init__(self, **_: object) -> None: ...

        def invoke(self, _: list[str]) -> dbtRunnerResult:
            return dbtRunnerResult(success=False, exception=KeyboardInterrupt())

    monkeypatch.setattr("dbt.cli.main.dbtRunner", Interrupted)
    with pytest.raises(OutcomesError, match=r"^Interrupted\. Nothing was published\.$"):
        run("build")
