"""Data outside the agreement: deliveries outside its dates, unlisted columns."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from outcomes.config import PROJECT_DIR, Settings, load_settings
from outcomes.contracts.reader import ContractError, load_contract, load_contracts
from outcomes.warehouse.server import EmbeddedServer

from .commands import run
from .deliveries import (
    CLAIRTON,
    CLAIRTON_STUDENT,
    DIRECTORY,
    WOODLAND_STUDENT,
    clairton,
    deliver,
    dhs,
    ledger,
    pittsburgh,
    pittsburgh_csv,
    woodland,
)

AGREEMENT = load_contracts()["woodland_hills"].agreement


@pytest.mark.parametrize(
    ("day", "lands"),
    [
        ("2012-08-19", False),
        ("2012-08-20", True),
        ("2015-06-30", True),
        ("2015-07-01", False),
    ],
)
def test_no_delivery_outside_the_agreement_lands(
    day: str, lands: bool, connection: psycopg.Connection, tmp_path: Path
) -> None:
    assert AGREEMENT
    assert (str(AGREEMENT.starts_on), str(AGREEMENT.ends_on)) == ("2012-08-20", "2015-06-30")
    year = int(day[:4]) + (day[5:7] >= "07")
    student = WOODLAND_STUDENT.replace("2013-06-30", f"{year}-06-30")
    woodland(tmp_path, "STUDENT", [student], day=day)

    code, _ = run("land", tmp_path)

    assert code == (0 if lands else 3)
    assert ledger(connection, "reason_code") == [(None if lands else "agreement_not_in_force",)]
    assert connection.execute("select count(*) from raw.students").fetchone() == (int(lands),)


def test_a_delivery_of_tomorrow_lands_because_of_time_zones(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    dhs(tmp_path, "clients", "homelessness", [{}], day=str(tomorrow))
    assert run("land", tmp_path)[0] == 0
    assert ledger(connection, "as_of_date, status") == [(tomorrow, "loaded")]


def test_an_agreement_is_for_audit_and_evaluation_at_least(tmp_path: Path) -> None:
    text = (PROJECT_DIR / "contracts" / "clairton.odcs.yaml").read_text(encoding="utf-8")
    file = tmp_path / "clairton.odcs.yaml"
    file.write_text(
        text.replace("purposes: [audit_and_evaluation]", "purposes: [service_coordination]")
    )
    with pytest.raises(ContractError, match="purposes lacks audit_and_evaluation"):
        load_contract(file)


def _content(file: Path) -> bytes:
    # PostgreSQL can delete its own cache files at any time.
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def test_values_of_unlisted_columns_are_stored_nowhere(
    database: Settings,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canary = f"canary{secrets.token_hex(8)}"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    drops = tmp_path / "drops"
    unlisted = DIRECTORY | {"Phone": canary, "GuardianName": canary, "Added": canary}
    pittsburgh(
        drops,
        {
            "STUDENT_DIRECTORY.csv": pittsburgh_csv(
                [
                    unlisted,
                    unlisted | {"StudentID": "bad", "GuardianName": f"{canary} rejected"},
                    unlisted | {"StudentID": "000000002", "SSN": canary},
                ]
            ).replace("rejected", 'rejected"'),
            "UNKNOWN.csv": f"{canary}\r\n",
            "TERM_GPA.csv": f"No,Header\r\n{canary},{canary}\r\nTRAILER,1,20121001\r\n",
        },
    )
    book = CLAIRTON | {"Students": [CLAIRTON_STUDENT | {"Nurse": canary}], "Notes": [{canary: 1}]}
    clairton(drops, book)
    clairton(drops, book, day="2012-05-06")  # the day before the agreement
    woodland(drops, "STUDENT", [WOODLAND_STUDENT, f"{WOODLAND_STUDENT}|{canary}"])
    deliver(drops, "woodland_hills/2012-10-05/minutes.txt", canary.encode())

    written = [run("land", drops, "--dry-run")[1], run("land", drops)[1], run("land", drops)[1]]
    workbook = drops / "clairton/2012-10-03/Clairton_DHS_2012-10-03.xlsx"
    contract = PROJECT_DIR / "contracts" / "clairton.odcs.yaml"
    written.append(run("district", "check", contract, workbook)[1])
    connection.execute("checkpoint")

    assert connection.execute("select count(*) from raw.students").fetchone() == (4,)
    assert not any(canary in text for text in written)
    settings = load_settings()
    server = EmbeddedServer(replace(settings, database=database.database))
    folders = [server.home, settings.warehouse_dir, settings.archive_dir, scratch]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert any(file.suffix == ".age" for file in files)
    contents = {file: _content(file) for file in files}
    assert any(b"Invented" in content for content in contents.values())
    assert [file for file, content in contents.items() if canary.encode() in content] == []
