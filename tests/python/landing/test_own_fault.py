"""Whatever happens to one file is that file's outcome: all others land."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest

from outcomes.config import CONTRACTS_DIR
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing import reading
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.replay import replay

from .commands import run
from .deliveries import (
    CLAIRTON,
    CLAIRTON_STUDENT,
    WOODLAND_STUDENT,
    clairton,
    deliver,
    dhs,
    events,
    land,
    ledger,
    woodland,
)

NewDatabase = Callable[[], psycopg.Connection]

FILES = "partner_id, status, reason_code"


class Panic(BaseException):
    """What a library in Rust raises: no Exception."""


def fail(error: BaseException) -> Callable[..., Any]:
    """A function that always raises the error."""

    def raise_it(*_: object, **__: object) -> Any:
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("reading.read_delimited", RuntimeError("Quillfeather")),
        ("reading.survey", MemoryError("Quillfeather")),
        ("loader.logical_files", Panic("Quillfeather")),
        ("loader.copy_rows", psycopg.DataError("Quillfeather")),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_any_exception_of_a_reader_is_the_fault_of_its_file(
    archive: Archive,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    error: BaseException,
) -> None:
    drops, log = tmp_path / "drops", tmp_path / "log"
    events(drops, {})
    monkeypatch.setenv("OUTCOMES_LOG_FILE", str(log))
    failed = [("pittsburgh", "quarantined", "reader_failed")]
    with monkeypatch.context() as patch:
        patch.setattr(f"outcomes.landing.{function}", fail(error))
        code, output = run("land", drops)
        assert code == 3
        assert "this release cannot read it" in output
        assert f"{type(error).__name__} in " in json.loads(log.read_text("utf-8"))["error"]
        assert "Quillfeather" not in output + log.read_text("utf-8")
        assert ledger(connection, FILES) == failed
        before = ledger(connection, "file_id, received_at")
        assert run("land", drops)[0] == 3
        assert ledger(connection, "file_id, received_at") == before, "tried again in vain"
    assert run("land", drops)[0] == 0
    assert ledger(connection, FILES) == [("pittsburgh", "loaded", None)]


def test_other_files_land_and_can_be_replayed(
    archive: Archive,
    connection: psycopg.Connection,
    another_database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clairton(tmp_path / "drops", {**CLAIRTON, "Students": [CLAIRTON_STUDENT]})
    events(tmp_path / "drops", {})
    woodland(tmp_path / "drops", "STUDENT", [WOODLAND_STUDENT])
    monkeypatch.setattr("outcomes.landing.workbook.read_sheet", fail(RuntimeError("no")))
    for command in (("land", tmp_path / "drops"), ("replay",)):
        assert run(*command)[0] == 3
        found = {(row[0], row[2]) for row in ledger(connection, FILES)}
        assert found == {
            ("clairton", "reader_failed"),
            ("pittsburgh", None),
            ("woodland_hills", None),
        }
        connection = another_database()


def test_a_check_reports_a_reader_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = woodland(tmp_path, "STUDENT", [WOODLAND_STUDENT])
    monkeypatch.setattr("outcomes.landing.reading.survey", fail(RuntimeError("Quillfeather")))
    contract = CONTRACTS_DIR / "woodland_hills.odcs.yaml"
    code, output = run("district", "check", contract, file)
    assert code == 3
    assert "reader_failed: this release cannot read it (RuntimeError in reading.py" in output
    assert "Quillfeather" not in output


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark(
    archive: Archive,
    connection: psycopg.Connection,
    another_database: NewDatabase,
    tmp_path: Path,
    encoding: str,
) -> None:
    """Python's codec takes it for a wrong use of the codec, not for wrong bytes."""
    contracts = load_contracts()
    hills = contracts["woodland_hills"]
    in_utf_16 = [
        item.model_copy(update={"file": item.file.model_copy(update={"encoding": "utf-16"})})
        for item in hills.objects
    ]
    contracts["woodland_hills"] = hills.model_copy(update={"objects": in_utf_16})
    name = "103029902_STUDENT_201210051930.txt"
    content = f"{WOODLAND_STUDENT}\n".encode(encoding)
    file = deliver(tmp_path / "drops", f"woodland_hills/2012-10-05/{name}", content)
    outcomes = land(connection, tmp_path / "drops", contracts)
    assert outcomes[name].reason == "wrong_encoding"
    archive.keep(DeliveredFile("woodland_hills", date(2012, 10, 5), name, file))
    (replayed,) = replay(another_database(), contracts, archive)
    assert replayed.reason == "wrong_encoding"


def vanish(file: Path) -> None:
    file.unlink()


def grow(file: Path) -> None:
    with file.open("ab") as end:
        end.write(f"{WOODLAND_STUDENT}\n".encode())


@pytest.mark.parametrize("change", [vanish, grow], ids=lambda change: change.__name__)
@pytest.mark.parametrize("moment", ["archive.sha256_of", "reading.survey", "reading.map_positions"])
def test_a_file_that_changes_while_it_is_read_lands_when_it_is_complete(
    archive: Archive,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    moment: str,
) -> None:
    drops, log = tmp_path / "drops", tmp_path / "log"
    file = woodland(drops, "STUDENT", [WOODLAND_STUDENT])
    woodland(drops, "STUDENT", [WOODLAND_STUDENT], day="2012-10-12")
    monkeypatch.setenv("OUTCOMES_LOG_FILE", str(log))
    module, name = moment.split(".")
    original = getattr(import_module(f"outcomes.landing.{module}"), name)
    left = [file]

    def and_change(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        while left:
            change(left.pop())
        return result

    monkeypatch.setattr(f"outcomes.landing.{moment}", and_change)
    code, output = run("land", drops)
    assert code == 3
    assert "not landed woodland_hills 2012-10-05" in output
    assert json.loads(log.read_text("utf-8").splitlines()[0])["reason"] == "unreadable_file"
    assert ledger(connection, "as_of_date, status") == [(date(2012, 10, 12), "loaded")]
    woodland(drops, "STUDENT", [WOODLAND_STUDENT])
    assert run("land", drops)[0] == 0
    assert len(ledger(connection)) == 2


def test_a_missing_key_stops_its_own_partner_only(
    archive: Archive, connection: psycopg.Connection, tmp_path: Path
) -> None:
    drops, key = tmp_path / "drops", archive.keys_folder / "pittsburgh.key"
    events(drops, {})
    run("land", drops)
    backup = key.rename(tmp_path / "backup")
    events(drops, {}, {"StudentID": "000000002"}, day="2012-10-08")
    woodland(drops, "STUDENT", [WOODLAND_STUDENT])
    code, output = run("land", drops)
    assert code == 3
    assert "archive_failed" in output
    assert "pittsburgh.key, the key of the archive" in output
    assert [row[0] for row in ledger(connection, FILES)] == ["pittsburgh", "woodland_hills"]
    backup.rename(key)
    assert run("land", drops)[0] == 0
    assert len(ledger(connection)) == 3


def test_an_archive_that_cannot_be_written_stops_the_landing(
    archive: Archive,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events(tmp_path / "drops", {})
    monkeypatch.setattr("os.fsync", fail(PermissionError(13, "Permission denied")))
    with pytest.raises(OutcomesError, match="A file could not be read or written"):
        run("land", tmp_path / "drops")
    assert ledger(connection) == []


def test_a_delivery_that_came_early_lands_when_its_day_has_come(
    archive: Archive,
    connection: psycopg.Connection,
    another_database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = datetime.now(UTC) + timedelta(days=7)
    dhs(tmp_path / "drops", "clients", "homelessness", [{}], day=str(day.date()))
    assert run("land", tmp_path / "drops")[0] == 3
    assert ledger(connection, FILES) == [("dhs", "quarantined", "date_in_the_future")]
    before = ledger(connection, "file_id, received_at")
    assert run("land", tmp_path / "drops")[0] == 3
    assert ledger(connection, "file_id, received_at") == before

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return day.astimezone(tz)

    monkeypatch.setattr(reading, "datetime", Later)
    assert run("land", tmp_path / "drops")[0] == 0
    assert ledger(connection, FILES) == [("dhs", "loaded", None)]
    assert connection.execute("select count(*) from raw.clients").fetchone() == (1,)
    rebuilt = another_database()
    assert run("replay")[0] == 0
    assert ledger(rebuilt, FILES) == [("dhs", "loaded", None)]
