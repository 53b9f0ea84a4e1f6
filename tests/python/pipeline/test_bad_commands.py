"""Every command with bad input gives a clear error and changes nothing."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from tests.python.conftest import free_port
from tests.python.landing.deliveries import land

from outcomes.cli import app, cli
from outcomes.config import Settings
from outcomes.warehouse.connection import connect

# Command line (paths are below the test's folder) and a part of its error.
IN_A_WAREHOUSE = [
    ("land nowhere", "does not exist"),
    ("land empty", "holds no file"),
    ("land ''", "The path is empty"),
    ("land sftp://nowhere", "error:"),
    ("weekly nowhere", "does not exist"),
    ("weekly ''", "The path is empty"),
    ("release nothing.csv --reason asked", "No held file is named nothing.csv"),
    ("release nothing.csv --reason asked --as-of soon", "expected yyyy-mm-dd"),
    ("replay", "has no delivered file"),
    ("build --as-of soon", "soon"),
    ("build --as-of 2012-02-30", "2012-02-30"),
    ("status --as-of soon", "expected yyyy-mm-dd"),
    ("warehouse backup backup backup/keys", "must be apart from the backup"),
    ("warehouse restore nowhere keys", "is missing"),
    ("purge --partner nobody --yes", "no data of a partner 'nobody'"),
    ("purge --partner ../nowhere --yes", "'../nowhere' is not a partner"),
    ("purge --partner CLAIRTON --yes", "'CLAIRTON' is not a partner"),
    ("rollback", "no earlier publication"),
    ("revise-year 2012 --reason late", "School year 2012 is not released"),
    ("revise-year 2012 --reason ''", "--reason is empty"),
    ("access login ana --role king", "'king' is not one of"),
    ("access login ana --role district", "Expected --district with --role district"),
    ("access login ana --role analyst --district clairton", "with no other role"),
    ("access login ana --role district --district nobody", "No district 'nobody' has a contract"),
    ("access login '' --role analyst", "cannot be the name of a login"),
    ("access login pg_ana --role analyst", "cannot be the name of a login"),
    ("district check nowhere.odcs.yaml empty", "cannot be read"),
    ("district check broken.odcs.yaml empty", "is not valid YAML"),
    ("district new new.odcs.yaml nowhere.csv", "nowhere.csv"),
    ("link train", "uild"),
    ("link explain pittsburgh:1", "not built"),
    ("link evaluate --truth nowhere", "nowhere"),
    ("link review", "not built"),
    ("link review --export out.csv", "expected the name of an .xlsx"),
    ("link review --import nowhere.xlsx", "does not exist"),
    ("link review --import folder.xlsx", "Is a directory"),
    ("link review --import a.xlsx --export b.xlsx", "not both"),
    ("report summary", "uild"),
    ("report public", "may not read a table"),
    ("report district nobody", "No district 'nobody' has a contract"),
    ("report district clairton", "Run `outcomes land` and `outcomes build` first"),
    ("report district clairton --out nowhere/x.xlsx", "uil"),
    ("report counselors nobody", "No district 'nobody' has a contract"),
    ("report counselors pittsburgh", "Run `outcomes land` and `outcomes build` first"),
    ("report public", "`outcomes build` makes them"),
    ("link evaluate --truth empty.parquet", "cannot be read"),
    ("release \udce9.csv --reason asked", "not valid UTF-8"),
]
WITHOUT_A_SERVER = [
    "land drops", "weekly drops", "release a.csv --reason asked", "replay", "build", "rollback",
    "purge --partner clairton --yes", "link explain a:1", "link review", "report summary",
    "report district clairton", "access apply", "warehouse status",
    "access login ana --role analyst", "report public", "status", "warehouse upgrade", "dashboards",
    "revise-year 2012 --reason late",
]  # fmt: skip
WITH_A_BAD_PORT = [
    "warehouse start", "warehouse stop", "warehouse status", "warehouse reset --yes",
    "access apply", "land drops", "report summary",
]  # fmt: skip
MISWRITTEN = ["land", "purge", "release a.csv", "report district", "warehouse begin", "--nothing"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    # A separate archive, because the common one has deliveries of other tests.
    monkeypatch.setenv("OUTCOMES_ARCHIVE_DIR", str(tmp_path / "archive"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.xlsx").mkdir()
    delivery = tmp_path / "drops" / "clairton" / "2012-10-03"
    delivery.mkdir(parents=True)
    (delivery / "notes.txt").write_text("no delivery")
    (tmp_path / "broken.odcs.yaml").write_text("id: [")
    (tmp_path / "empty.parquet").touch()
    return tmp_path


def outcome_of(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[Any, str]:
    """Exit code and output, as on a terminal."""
    monkeypatch.setattr(sys, "argv", ["outcomes", *shlex.split(command)])
    with pytest.raises(SystemExit) as ended:
        app()
    written = capsys.readouterr()
    return ended.value.code, written.out + written.err


def last_line(written: str) -> str:
    """The last line of an output, which must be the error."""
    return written.strip().splitlines()[-1]


def content(connection: psycopg.Connection) -> list[Any]:
    """The number of rows of each table, but of `publishing.weeks`, which records failed weeks."""
    tables = connection.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables "
        "where schemaname not in ('pg_catalog', 'information_schema') "
        "and (schemaname, tablename) <> ('publishing', 'weeks') order by 1"
    ).fetchall()
    return [
        (table, connection.execute(f"select count(*) from {table}".encode()).fetchone())
        for (table,) in tables
    ]


@pytest.fixture(scope="module")
def commands() -> set[str]:
    def below(command: Any, path: str = "") -> Iterator[str]:
        for name, own in getattr(command, "commands", {}).items():
            yield from below(own, f"{path}{name} ") if hasattr(own, "commands") else [path + name]

    return set(below(typer.main.get_command(cli)))


def test_every_command_is_given_bad_input(commands: set[str]) -> None:
    tried = [command for command, _ in IN_A_WAREHOUSE] + WITHOUT_A_SERVER + WITH_A_BAD_PORT
    untried = {
        command for command in commands if not any(f"{t} ".startswith(f"{command} ") for t in tried)
    }
    assert untried == set()


@pytest.mark.parametrize(("command", "message"), IN_A_WAREHOUSE, ids=[c for c, _ in IN_A_WAREHOUSE])
def test_bad_input_is_an_error_and_changes_nothing(
    command: str,
    message: str,
    database: Settings,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = set(folder.rglob("*"))
    with connect(database) as connection:
        rows = content(connection)
        code, written = outcome_of(command, monkeypatch, capsys)
        assert content(connection) == rows
    assert code in (1, 2), written
    assert message in written
    assert "Traceback" not in written
    assert last_line(written).startswith("error: ")
    made = {path.name for path in set(folder.rglob("*")) - before}
    assert not {name for name in made if name.endswith((".xlsx", ".md", ".age", ".key"))}


@pytest.mark.parametrize("command", WITHOUT_A_SERVER)
def test_without_a_server_every_command_fails_clearly(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    monkeypatch.setenv("OUTCOMES_WAREHOUSE_DIR", str(folder / "warehouse"))
    monkeypatch.setenv("OUTCOMES_PG_PORT", str(free_port()))
    code, written = outcome_of(command, monkeypatch, capsys)
    assert code == (3 if command == "warehouse status" else 1)
    assert "outcomes warehouse start" in last_line(written)
    assert code == 3 or last_line(written).startswith("error: ")
    assert "Traceback" not in written


@pytest.mark.parametrize("command", [c for c in WITHOUT_A_SERVER if c != "warehouse status"])
def test_a_database_that_does_not_exist_is_named_as_that(
    command: str,
    database: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", "nowhere")
    code, written = outcome_of(command, monkeypatch, capsys)
    assert code == 1
    assert last_line(written).startswith("error: The database nowhere does not exist")
    assert "Traceback" not in written


@pytest.mark.parametrize("command", WITH_A_BAD_PORT)
def test_an_invalid_port_is_an_error(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_PORT", "the usual")
    code, written = outcome_of(command, monkeypatch, capsys)
    assert code == 1
    assert last_line(written).startswith("error: OUTCOMES_PG_PORT must be a port number")


def test_a_warehouse_folder_that_is_a_file_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    monkeypatch.setenv("OUTCOMES_WAREHOUSE_DIR", str(folder / "empty.parquet"))
    monkeypatch.setenv("OUTCOMES_PG_PORT", str(free_port()))
    code, written = outcome_of("warehouse start", monkeypatch, capsys)
    assert code == 1
    assert "error: A file could not be read or written" in written


@pytest.mark.parametrize("command", MISWRITTEN)
def test_a_wrong_command_line_exits_with_2(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, written = outcome_of(command, monkeypatch, capsys)
    assert code == 2
    assert last_line(written).startswith("error: ")
    assert "Traceback" not in written


def test_an_unanswered_question_is_an_error(
    database: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(*_: Any, **__: Any) -> None:
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", nobody)
    code, written = outcome_of("warehouse reset", monkeypatch, capsys)
    assert (code, last_line(written)) == (1, "error: Stopped: the question was not answered.")


def test_the_error_names_a_missing_right(
    database: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(database) as connection:
        monkeypatch.setenv("PGOPTIONS", "-c role=pg_monitor")
        code, written = outcome_of("access apply", monkeypatch, capsys)
        assert (code, "may not make the roles" in written) == (1, True)
        code, written = outcome_of("report summary", monkeypatch, capsys)
        assert (code, "may not do this: permission denied" in written) == (1, True)
        monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
        code, written = outcome_of("access apply", monkeypatch, capsys)
        assert (code, "read-only: cannot execute" in written) == (1, True)
        assert content(connection)


@pytest.mark.parametrize("command", ["release a.csv --reason asked", "weekly drops", "status"])
def test_a_fault_of_our_own_shows_its_place(
    command: str,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A warehouse of this release lacks no column, built or not: the code is wrong."""
    connection.execute("alter table landing.files rename column as_of_date to another")
    code, written = outcome_of(command, monkeypatch, capsys)
    assert (code, "cli/root.py" in written) == (1, True)
    assert "A fault of the project: UndefinedColumn (SQLSTATE 42703)" in last_line(written)


def test_a_fault_of_our_own_quotes_no_row(
    connection: psycopg.Connection,
    demo_drops: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """PostgreSQL adds the row to its message: `Failing row contains (…)`."""
    land(connection, min((demo_drops / "clairton").iterdir()))
    connection.execute("alter table privacy.purges add constraint no_purge check (false)")
    code, written = outcome_of("purge --partner clairton --yes", monkeypatch, capsys)
    assert code == 1
    assert "CheckViolation (SQLSTATE 23514), purges, no_purge." in last_line(written)
    assert "Failing row" not in written
