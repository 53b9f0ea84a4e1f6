"""The ledger: each content once, each file atomic, each line accounted for."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from outcomes.config import CONTRACTS_DIR
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.feeds import raw_feeds
from outcomes.landing.loader import release_file

from .deliveries import (
    EVENT,
    clairton,
    day_of,
    deliver,
    dhs,
    directory,
    events,
    land,
    ledger,
    pittsburgh,
    pittsburgh_csv,
    rejects,
    woodland,
)
from .one_file import read_deliveries


def contents(connection: psycopg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every table, without columns that depend on the time of loading."""
    volatile = {
        "files": "files.*",
        **{feed: f"{feed}.*" for feed in raw_feeds()},
    }
    return {
        table: connection.execute(
            f"select {what} from {schema}.{table} order by {what}"  # type: ignore[arg-type]
        ).fetchall()
        for table, what in volatile.items()
        for schema in ["landing" if table == "files" else "raw"]
    }


def test_landing_again_changes_nothing(connection: psycopg.Connection, tmp_path: Path) -> None:
    clairton(tmp_path)
    directory(tmp_path, {}, {"Grade": "099"})
    events(tmp_path, {"EventDate": "x"}, day="2012-09-24")
    dhs(tmp_path, "clients", "homelessness", [{}])
    deliver(tmp_path, "clairton/2012-10-03/notes.txt", b"a note")
    deliver(tmp_path, "clairton/2012-10-03/notes-copy.txt", b"a note")
    first = land(connection, tmp_path)
    before = contents(connection)
    again = land(connection, tmp_path)

    assert {outcome.status for outcome in first.values()} == {"loaded", "quarantined", "duplicate"}
    # Files that need a decision still do.
    assert {outcome.status for outcome in again.values()} == {"already landed", "quarantined"}
    assert all(
        outcome.status == "quarantined" and (outcome.detail or "").startswith("still: ")
        for name, outcome in again.items()
        if first[name].status == "quarantined"
    )
    assert contents(connection) == before
    assert len(before["files"]) == len(first)


def test_a_copy_under_an_unknown_name_is_a_duplicate_in_any_order(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    file = events(tmp_path, {})
    file.with_name("A copy of PPS.zip").write_bytes(file.read_bytes())
    book = clairton(tmp_path)
    book.with_name("A copy.xlsx").write_bytes(book.read_bytes())
    outcomes = land(connection, tmp_path)
    assert outcomes["A copy of PPS.zip/ATTENDANCE_EVENTS.csv"].status == "duplicate"
    assert outcomes["A copy.xlsx"].status == "duplicate"
    assert not any(outcome.needs_a_person for outcome in outcomes.values())


def test_the_same_content_in_a_later_delivery_is_a_new_snapshot(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    for day, status in (("2012-09-21", "A"), ("2012-09-28", "H"), ("2012-10-05", "A")):
        woodland(tmp_path, "ATTENDANCE", [day_of(4, status)], day=day)
    land(connection, tmp_path)
    assert connection.execute(
        "select event_code from raw.attendance_events order by as_of_date"
    ).fetchall() == [("A",), ("H",), ("A",)]


def test_a_re_sent_file_of_the_day_is_ordered_by_the_time_in_its_name(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    woodland(tmp_path, "ATTENDANCE", [day_of(4), day_of(5)], time="1930")
    woodland(tmp_path, "ATTENDANCE", [day_of(4), day_of(5, "H")], time="0700")
    land(connection, tmp_path)
    assert ledger(connection, "sent_at::time::text, status") == [
        ("07:00:00", "loaded"),
        ("19:30:00", "loaded"),
    ]


def test_a_quarantined_file_does_not_affect_its_delivery(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    pittsburgh(
        tmp_path,
        {
            "ATTENDANCE_EVENTS.csv": pittsburgh_csv([EVENT]),
            "SCHOOL_CALENDAR.csv": "SchoolCode,SchoolName,CalendarDate,InSession\r\n",
        },
    )
    land(connection, tmp_path)
    assert dict(ledger(connection)) == {
        "PPS_DHS_20121001.zip/ATTENDANCE_EVENTS.csv": "loaded",
        "PPS_DHS_20121001.zip/SCHOOL_CALENDAR.csv": "quarantined",
    }


def test_a_quarantined_file_is_tried_again_under_a_new_contract(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    events(tmp_path, {"EventDate": "07/03/2014"}, day="2014-07-07")
    contracts = load_contracts()
    land(connection, tmp_path, contracts)
    old = contracts["pittsburgh"]
    assert old.agreement is not None
    renewed = old.agreement.model_copy(update={"ends_on": old.agreement.ends_on.replace(2016)})
    contracts["pittsburgh"] = old.model_copy(update={"agreement": renewed, "version": "9.9.9"})
    land(connection, tmp_path, contracts)
    assert ledger(connection, "status, contract_version, rows_loaded") == [("loaded", "9.9.9", 1)]


def test_a_snapshot_is_compared_with_the_newest_accepted_one(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    sizes = {"2012-09-14": 20, "2012-09-21": 18, "2012-09-28": 16, "2012-10-05": 17}
    for day, size in sizes.items():
        woodland(tmp_path, "ATTENDANCE", [day_of(n + 1) for n in range(size)], day=day)
    land(connection, tmp_path)
    assert connection.execute(
        "select as_of_date::text, status, reason_code from landing.files order by 1"
    ).fetchall() == [
        ("2012-09-14", "loaded", None),
        ("2012-09-21", "loaded", None),  # exactly a tenth fewer rows
        ("2012-09-28", "held", "shrunken_snapshot"),
        ("2012-10-05", "loaded", None),  # compared with 18, the newest accepted one
    ]


def test_a_re_sent_file_is_compared_with_the_version_that_it_replaces(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    for day, time, size in (
        ("2012-09-28", "1930", 20),
        ("2012-10-05", "1930", 25),
        (
            "2012-10-05",
            "2100",
            22,
        ),  # enough for last week, too few for the replaced version
    ):
        lines = [day_of(n + 1) for n in range(size)]
        woodland(tmp_path, "ATTENDANCE", lines, time=time, day=day)
    land(connection, tmp_path)
    assert [status for _, status in ledger(connection)] == ["loaded", "loaded", "held"]
    (detail,) = connection.execute(
        "select detail from landing.files where status = 'held'"
    ).fetchone() or ("",)
    assert "25 in the version that it replaces of 2012-10-05" in detail


def test_unchanged_content_of_last_week_gives_a_warning(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    for day in ("2012-09-28", "2012-10-05"):
        woodland(tmp_path, "ATTENDANCE", [day_of(1)], day=day)
    outcomes = list(land(connection, tmp_path).values())
    assert [outcome.status for outcome in outcomes] == ["loaded", "loaded"]
    assert outcomes[0].detail is None
    assert "the same content as" in (outcomes[1].detail or "")
    assert "2012-09-28" in (outcomes[1].detail or "")


def test_the_same_file_of_two_partners_is_noted_and_lands(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    contract = (CONTRACTS_DIR / "clairton.odcs.yaml").read_text()
    folder = deliver(
        tmp_path, "contracts/twin.odcs.yaml", contract.replace("id: clairton", "id: twin").encode()
    ).parent
    for name in ("clairton", "woodland_hills", "interventions"):
        shutil.copy(CONTRACTS_DIR / f"{name}.odcs.yaml", folder)
    content = clairton(tmp_path / "drops").read_bytes()
    for name in ("twin/2012-10-03/Clairton_DHS_2012-10-03.xlsx", "woodland_hills/2012-10-05/x"):
        deliver(tmp_path / "drops", name, content)
    # Files without a row are often equal.
    roster = (
        b"intervention_code,intervention_name,district_id,district_student_id,started_on,ended_on\n"
    )
    deliver(tmp_path / "drops", "interventions/2012-10-05/roster.csv", roster)
    deliver(tmp_path / "drops", "woodland_hills/2012-10-05/roster.csv", roster)
    land(connection, tmp_path / "drops", load_contracts(folder))
    noted = "the same content as a file of clairton of 2012-10-03"
    columns = "partner_id, status, detail"
    assert [row for row in ledger(connection, columns) if noted in (row[2] or "")] == [
        *[("twin", "loaded", noted)] * 4,
        (
            "woodland_hills", "quarantined",
            f"no object of the contract has a file of this name; {noted}",
        ),
    ]  # fmt: skip
    details = {row[2] for row in ledger(connection, columns) if noted not in (row[2] or "")}
    assert details == {None, "no object of the contract has a file of this name"}


def test_a_released_snapshot_is_accepted(connection: psycopg.Connection, tmp_path: Path) -> None:
    sizes = {"2012-09-21": 20, "2012-09-28": 10, "2012-10-05": 9}
    for day, size in sizes.items():
        woodland(tmp_path, "ATTENDANCE", [day_of(n + 1) for n in range(size)], day=day)
    land(connection, tmp_path)
    assert [status for _, status in ledger(connection)] == ["loaded", "held", "held"]

    name = "103029902_ATTENDANCE_201209281930.txt"
    outcomes = release_file(connection, load_contracts(), name, None, "the school was closed")
    assert [outcome.status for outcome in outcomes] == ["loaded", "loaded"]
    assert ledger(connection, "status, reason_code, release_reason") == [
        ("loaded", None, None),
        ("loaded", None, "the school was closed"),
        ("loaded", None, None),  # a tenth fewer rows than the released one
    ]
    with pytest.raises(OutcomesError, match="No held file is named"):
        release_file(connection, load_contracts(), name, None, "again")


def test_a_new_school_year_is_not_compared_with_the_last(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    june = [{"EventDate": f"06/{n:02}/2012"} for n in range(1, 21)]
    events(tmp_path, *june, day="2012-06-25")
    events(tmp_path, {"EventDate": "08/30/2012"}, day="2012-09-03")
    land(connection, tmp_path)
    assert ledger(connection, "status, school_year") == [("loaded", 2012), ("loaded", 2013)]


HEADER, GOOD = ",".join(EVENT), "000000001,0017,09/04/2012,U,1"
MESSY = f"""
{HEADER}
{GOOD}

000000001,"0017",09/05/2012,U,1
000000001,"00
17",09/06/2012,U,1
short,row
000000001,"swallows,09/06/2012,U,1
{GOOD}
"000000001",0017,09/10/2012,U,1
{GOOD}
{HEADER}
TRAILER,10,20121001

{" "}
""".replace("\n", "\r\n")


def test_every_line_is_accounted_for(connection: psycopg.Connection, tmp_path: Path) -> None:
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": MESSY})
    land(connection, tmp_path)
    assert rejects(connection) == [
        (6, 7, "bad_format", "SchoolCode"),
        (8, 8, "wrong_field_count", None),
        (9, 11, "stray_quote", None),
        (13, 13, "repeated_header", None),
    ]
    assert ledger(
        connection,
        "status, lines, header_lines, blank_lines, trailer_lines, rows_loaded, rows_rejected,"
        " lines_loaded, lines_rejected",
    ) == [("loaded", 16, 1, 4, 1, 3, 4, 3, 7)]


def test_an_added_column_is_ignored_with_a_warning(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    events_with_bus = [EVENT | {"BusRoute": "61C"}]
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": pittsburgh_csv(events_with_bus)})
    land(connection, tmp_path)
    assert ledger(connection, "status, detail") == [
        ("loaded", "columns added and kept out: BusRoute")
    ]


def test_reordered_columns_are_found_by_name(tmp_path: Path) -> None:
    reordered = dict(reversed(EVENT.items()))
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": pittsburgh_csv([reordered])})
    (event,) = read_deliveries(tmp_path)[0].feeds["attendance_events"]
    assert (event["district_student_id"], event["event_code"]) == ("000000001", "U")


def test_a_renamed_column_is_named_with_its_likely_new_name(tmp_path: Path) -> None:
    text = pittsburgh_csv([EVENT]).replace("EventCode", "EVENT_CODE")
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": text})
    (read,) = read_deliveries(tmp_path)
    assert read.fault
    assert read.fault.detail == "missing: EventCode (renamed to EVENT_CODE?)"


def test_blocks_may_cut_a_file_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": MESSY})
    whole = read_deliveries(tmp_path)
    assert len(whole[0].rejected) == 4
    for size in (1, 7, 64, 100):
        monkeypatch.setattr("outcomes.landing.text.BLOCK_BYTES", size)
        assert read_deliveries(tmp_path) == whole, size
