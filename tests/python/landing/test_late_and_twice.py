"""Deliveries that arrive late, twice, in parts or in any order give the same ledger."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.python.pipeline.content import ledger_hashes

from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.ledger import record_partners
from outcomes.landing.loader import land_file, release_file
from outcomes.landing.unpack import LogicalFile, logical_files

from .commands import run
from .deliveries import (
    EVENT,
    day_of,
    directory,
    events,
    land,
    ledger,
    pittsburgh,
    pittsburgh_csv,
    woodland,
)

WEEKS = ["2012-09-07", "2012-09-14", "2012-09-21", "2012-09-28", "2012-10-05"]


def accepted(connection: psycopg.Connection) -> list[Any]:
    """The accepted files with their rows, in the order in which models read them."""
    return connection.execute(
        """
        select
            f.as_of_date::text, f.sent_at, f.status, f.reason_code, f.sha256,
            f.rows_loaded, f.rows_rejected,
            (
                select string_agg(concat_ws('|', r.event_date, r.event_code), ' ' order by r.line_number)
                from raw.attendance_events as r
                where r.load_id = f.file_id
            )
        from landing.files as f
        where f.status <> 'duplicate'
        order by f.as_of_date, f.sent_at nulls first, f.received_at, f.file_id
        """  # noqa: E501
    ).fetchall()


@pytest.mark.parametrize("weeks", [4, pytest.param(5, marks=pytest.mark.slow)])
def test_every_order_of_arrival_gives_the_same_state(
    connection: psycopg.Connection, tmp_path: Path, weeks: int
) -> None:
    """Tries all orders as a tree: a landed file is rolled back to land another one."""
    days_sent = [5, 6, 3, 8, 9][:weeks]  # the third lost half its rows: it is held, and sent again
    for number, (day, n_days) in enumerate(zip(WEEKS, days_sent, strict=False)):
        lines = [day_of(n + 1, "APLHA"[number]) for n in range(n_days)]
        woodland(tmp_path, "ATTENDANCE", lines, day=day)
    again = [day_of(n + 1, "H") for n in range(7)]
    woodland(tmp_path, "ATTENDANCE", again, time="2100", day=WEEKS[2])
    contracts = load_contracts()
    contract = contracts["woodland_hills"]
    files = [
        file
        for delivered in find_deliveries(tmp_path, contracts).files
        for file in logical_files(contract, delivered)
    ]
    states: list[list[Any]] = []

    def land_the_others(landed: list[LogicalFile]) -> None:
        for file in files:
            if file not in landed:
                with connection.transaction(force_rollback=True):
                    land_file(connection, contract, file)
                    land_the_others([*landed, file])
        if len(landed) == len(files):
            (repeated,) = land_file(connection, contract, landed[0])
            assert repeated.status in ("already landed", "held")
            states.append(accepted(connection))

    record_partners(connection, [contract])
    land_the_others([])
    assert len(states) == math.factorial(weeks + 1)
    assert [status for _, _, status, *_ in states[0]] == ["loaded"] * 2 + ["held"] + (
        ["loaded"] * (weeks - 2)
    )
    assert all(state == states[0] for state in states)


def test_a_file_sent_again_after_a_correction_counts(
    connection: psycopg.Connection,
    another_database: Callable[[], psycopg.Connection],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A separate archive, because a replay reads all files of an archive.
    for name in ("ARCHIVE", "ARCHIVE_KEYS"):
        monkeypatch.setenv(f"OUTCOMES_{name}_DIR", str(tmp_path_factory.mktemp(name)))

    def last_code(database: psycopg.Connection) -> list[Any]:
        return database.execute(
            """
            select r.event_code, count(*) over ()
            from landing.files as f
            inner join raw.attendance_events as r on f.file_id = r.load_id
            order by f.as_of_date, f.sent_at nulls first, f.received_at desc, f.file_id
            limit 1
            """
        ).fetchall()

    for code in ("U", "E", "U", "U"):
        events(tmp_path, {"EventCode": code})
        assert run("land", tmp_path)[0] == 0
        assert last_code(connection)[0][0] == code
    assert last_code(connection) == [("U", 2)]
    with another_database() as rebuilt:
        assert run("replay")[0] == 0
        assert last_code(rebuilt) == [("U", 2)]
        assert ledger_hashes(rebuilt) == ledger_hashes(connection)


def test_the_same_content_again_changes_nothing(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    file = woodland(tmp_path, "ATTENDANCE", [day_of(4)])
    assert run("land", tmp_path)[0] == 0
    before = accepted(connection)
    woodland(tmp_path, "ATTENDANCE", [day_of(4)], time="2359")
    file.with_name("again.txt").write_bytes(file.read_bytes())
    assert run("land", tmp_path)[0] == 0
    assert accepted(connection) == before
    copy = ("duplicate", "duplicate_content", True, 0)
    assert ledger(connection, "status, reason_code, duplicate_of is not null, rows_loaded") == [
        ("loaded", None, False, 1), copy, copy,
    ]  # fmt: skip


def test_a_copy_in_an_archive_is_a_duplicate_under_any_name(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    content = pittsburgh_csv([EVENT])
    pittsburgh(tmp_path, {"A copy.csv": content, "ATTENDANCE_EVENTS.csv": content})
    assert run("land", tmp_path)[0] == 0
    assert [status for _, status in ledger(connection)] == ["loaded", "duplicate"]


def test_a_delivery_can_arrive_in_parts(connection: psycopg.Connection, tmp_path: Path) -> None:
    woodland(tmp_path, "ATTENDANCE", [day_of(4)])
    assert run("land", tmp_path)[0] == 0
    woodland(tmp_path, "CALENDAR", ["103029902|0103|École|2012-09-04|Y"])
    run("land", tmp_path)
    assert [row[0] for row in ledger(connection, "contract_object")] == ["ATTENDANCE", "CALENDAR"]


@pytest.mark.parametrize("late", [False, True])
def test_a_shrunken_snapshot_is_held_until_it_is_released(
    connection: psycopg.Connection, tmp_path: Path, late: bool
) -> None:
    full = events(tmp_path, *({"StudentID": f"{n:09}"} for n in range(20)), day="2012-09-24")
    small = events(tmp_path, *({"StudentID": f"{n:09}"} for n in range(9)))
    landed = [run("land", file) for file in ((small, full) if late else (full, small))]
    assert [code for code, _ in landed] == [0, 3]
    assert "held pittsburgh 2012-10-01" in landed[1][1]
    day = "as_of_date::text, status"
    assert sorted(ledger(connection, day)) == [("2012-09-24", "loaded"), ("2012-10-01", "held")]
    name = "PPS_DHS_20121001.zip/ATTENDANCE_EVENTS.csv"
    release = ("release", name, "--reason", "a school left", "--as-of")
    with pytest.raises(OutcomesError, match="No held file is named"):
        run(*release, "2012-09-24")
    assert run(*release, "2012-10-01")[0] == 0
    assert {status for _, status in ledger(connection, day)} == {"loaded"}
    assert run("land", tmp_path)[0] == 0


def test_attendance_of_students_off_the_roster_loads(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    events(tmp_path, {"StudentID": "999999999"})
    assert run("land", tmp_path)[0] == 0
    assert ledger(connection, "status, rows_loaded") == [("loaded", 1)]


def test_a_file_of_a_partner_without_a_contract_cannot_be_released(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    for day, count in (("2012-09-24", 20), ("2012-10-01", 9)):
        events(tmp_path, *({"StudentID": f"{n:09}"} for n in range(count)), day=day)
    land(connection, tmp_path)
    name = "PPS_DHS_20121001.zip/ATTENDANCE_EVENTS.csv"
    with pytest.raises(OutcomesError, match="no longer has a contract"):
        release_file(connection, {}, name, None, "asked")
    assert ("held", None) in ledger(connection, "status, released_at")


def test_a_state_id_of_two_children_loads_as_sent(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Only the district knows whose id it is; quality.shared_state_ids lists it."""
    directory(tmp_path, {"StudentID": "000000001"}, {"StudentID": "000000002"})
    assert run("land", tmp_path)[0] == 0
    assert ledger(connection, "status, rows_loaded, rows_rejected") == [("loaded", 2, 0)]
    assert connection.execute(
        "select count(*), count(distinct state_student_id) from raw.students"
    ).fetchone() == (2, 1)
