"""Every fault has its reason code."""

from __future__ import annotations

import csv
import gzip
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import psycopg
import pytest

from outcomes.config import PROJECT_DIR
from outcomes.landing.reasons import Reason

from .deliveries import (
    CLAIRTON,
    CLAIRTON_STUDENT,
    DIRECTORY,
    EVENT,
    WOODLAND_DAY,
    clairton,
    deliver,
    dhs,
    directory,
    events,
    issues,
    land,
    pittsburgh,
    pittsburgh_csv,
    rejects,
    woodland,
)
from .one_file import read_deliveries

# Writes deliveries below a folder.
Build = Callable[[Path], object]

ROSTER = (
    b"intervention_code,intervention_name,district_id,district_student_id,started_on,ended_on\n"
)
ZIP = "pittsburgh/2012-10-01/PPS_DHS_20121001.zip"
GOOD = pittsburgh_csv([EVENT])


def after_tomorrow() -> str:
    """Computed when a test runs, because midnight can pass after the collection of tests."""
    return f"{datetime.now(UTC).date() + timedelta(days=2)}"


def event_file(content: str | bytes) -> Build:
    return lambda drops: pittsburgh(drops, {"ATTENDANCE_EVENTS.csv": content})


def event(**values: str) -> Build:
    return lambda drops: events(drops, {}, values)


def zip_with(change: Callable[[zipfile.ZipFile], object]) -> Build:
    def build(drops: Path) -> None:
        file = deliver(drops, ZIP, b"")
        with zipfile.ZipFile(file, "w") as archive:
            change(archive)

    return build


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("ATTENDANCE_EVENTS.csv")
    entry.external_attr = 0o120777 << 16
    archive.writestr(entry, "/etc/passwd")


def two_members(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        for _ in range(2):
            archive.writestr("ATTENDANCE_EVENTS.csv", GOOD)


def encrypted(drops: Path) -> None:
    file = events(drops, {})
    packed = bytearray(file.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.find(signature) + offset] |= 1
    file.write_bytes(packed)


def damaged(drops: Path) -> None:
    file = events(drops, *({"StudentID": f"{n:09}"} for n in range(500)))
    packed = bytearray(file.read_bytes())
    packed[len(packed) // 2] ^= 0xFF
    file.write_bytes(packed)


def a_name_in_another_encoding(drops: Path) -> None:
    """A name in UTF-8 among 300 rows of CP1252, whose other fields are ASCII."""
    rows = [DIRECTORY | {"StudentID": f"{n:09}", "LegalLastName": "Nunez"} for n in range(300)]
    rows += [DIRECTORY | {"StudentID": "000000999"}]
    pittsburgh(drops, {"STUDENT_DIRECTORY.csv": pittsburgh_csv(rows).encode()})


def quotes_in_another_encoding(drops: Path) -> None:
    lines = [WOODLAND_DAY.encode()] * 300
    lines[10] = WOODLAND_DAY.replace("|N", "|\x93N\x94").encode("latin-1")
    deliver(drops, "woodland_hills/2012-10-05/103029902_ATTENDANCE_201210051930.txt",
            b"\n".join(lines) + b"\n")  # fmt: skip


def names(*first_names: str) -> Build:
    rows = [{"source_client_id": f"C{n}", "first_name": name} for n, name in enumerate(first_names)]
    return lambda drops: dhs(drops, "clients", "homelessness", rows)


def roster_headers(second: bytes) -> Build:
    """A file of free text, whose header is also a valid row."""
    row = b"T,Tutoring,clairton,7,2012-09-01,\n"
    return lambda drops: deliver(
        drops, "interventions/2012-10-05/roster.csv", ROSTER + second + row
    )


def gpa(**values: str) -> Build:
    usual = {
        "StudentID": "000000001", "SchoolYear": "2012-13", "Term": "1",
        "CumulativeGPA": "3.5", "WeightedGPA": "4.0",
    }  # fmt: skip
    member = pittsburgh_csv([usual, usual | values])
    return lambda drops: pittsburgh(drops, {"TERM_GPA.csv": member})


def discipline(**values: str) -> Build:
    usual = {
        "StudentID": "000000001", "IncidentDate": "09/05/2012", "OffenseCode": "DEFY",
        "Action": "OSS", "Days": "1",
    }  # fmt: skip
    member = pittsburgh_csv([usual, usual | values])
    return lambda drops: pittsburgh(drops, {"DISCIPLINE.csv": member})


def sheets(**changes: object) -> Build:
    usual = CLAIRTON["Students"][0]
    return lambda drops: clairton(drops, CLAIRTON | {"Students": [usual, usual | changes]})


FILE_FAULTS: dict[Reason, list[Build]] = {
    Reason.UNKNOWN_FILE: [
        lambda drops: deliver(drops, "pittsburgh/2012-10-01/notes.txt", b"x"),
        lambda drops: pittsburgh(drops, {"NOTES.csv": "x"}),
        lambda drops: pittsburgh(drops, {"nested.zip": gzip.compress(b"x")}),
        lambda drops: deliver(drops, "dhs/2012-10-05/clients_library.csv.gz", b"x"),
    ],
    Reason.NAME_DATE_MISMATCH: [
        lambda drops: events(drops, {}).rename(
            drops / "pittsburgh/2012-10-01/PPS_DHS_20121008.zip"
        ),
        lambda drops: deliver(
            drops, "woodland_hills/2012-10-05/103029902_GPA_201209281930.txt", b""
        ),
    ],
    Reason.DATE_IN_THE_FUTURE: [
        lambda drops: deliver(drops, f"interventions/{after_tomorrow()}/roster.csv", ROSTER),
        lambda drops: events(drops, {}, day=after_tomorrow()),
    ],
    Reason.AGREEMENT_NOT_IN_FORCE: [
        lambda drops: events(drops, {"EventDate": "07/06/2014"}, day="2014-07-07")
    ],
    Reason.EMPTY_FILE: [
        zip_with(lambda archive: None),
        event_file(""),
        lambda drops: deliver(
            drops, "woodland_hills/2012-10-05/103029902_GPA_201210051930.txt", b""
        ),
        lambda drops: deliver(drops, "interventions/2012-10-05/roster.csv", b"\n\n"),
    ],
    Reason.WRONG_ENCODING: [
        event_file(GOOD.encode("utf-16")),
        event_file(GOOD.encode("utf-8-sig")),
        lambda drops: pittsburgh(
            drops,
            {
                "STUDENT_DIRECTORY.csv": pittsburgh_csv(
                    [DIRECTORY | {"StudentID": f"{n:09}"} for n in range(5)]
                ).encode()
            },
        ),
        lambda drops: deliver(
            drops,
            "woodland_hills/2012-10-05/103029902_CALENDAR_201210051930.txt",
            "103029902|0103|École|2012-09-04|Y\n".encode("cp1252") * 3,
        ),
    ],
    Reason.CORRUPT_ARCHIVE: [
        lambda drops: deliver(drops, ZIP, b"PK\x03\x04 not a zip"),
        lambda drops: deliver(drops, "dhs/2012-10-05/clients_homelessness.csv.gz", b"\x1f\x8b!"),
        lambda drops: dhs(drops, "clients", "homelessness", [{}]).write_bytes(
            dhs(drops, "clients", "homelessness", [{}]).read_bytes()[:-9]
        ),
        damaged,
    ],
    Reason.ENCRYPTED_ARCHIVE: [encrypted],
    Reason.UNSAFE_ARCHIVE: [
        zip_with(lambda archive: archive.writestr("../ATTENDANCE_EVENTS.csv", GOOD)),
        zip_with(lambda archive: archive.writestr("/ATTENDANCE_EVENTS.csv", GOOD)),
        zip_with(link),
    ],
    Reason.DUPLICATE_MEMBER: [zip_with(two_members)],
    Reason.ARCHIVE_TOO_LARGE: [
        event_file(GOOD + "\r\n" * (17 << 20)),
        lambda drops: pittsburgh(drops, {f"{n}.csv": "x" for n in range(1001)}),
        lambda drops: deliver(
            drops,
            "dhs/2012-10-05/clients_homelessness.csv.gz",
            gzip.compress(b"0" * (33 << 20)),
        ),
    ],
    Reason.UNREADABLE_WORKBOOK: [
        lambda drops: deliver(drops, "clairton/2012-10-03/Clairton_DHS_2012-10-03.xlsx", b"PK!")
    ],
    Reason.MISSING_SHEET: [
        lambda drops: clairton(drops, {name: CLAIRTON[name] for name in list(CLAIRTON)[:3]})
    ],
    Reason.HEADER_NOT_FOUND: [
        event_file(f"Attendance events of the week\r\n{GOOD}"),
        event_file(GOOD.split("\r\n", 1)[1]),
        event_file(GOOD.replace("StudentID,", '"StudentID"x,')),
    ],
    Reason.HEADER_MISSING_COLUMN: [
        event_file(GOOD.replace("DayFraction", "Fraction")),
        lambda drops: clairton(
            drops, CLAIRTON | {"Report Cards": [{"ID": 1, "Year": "2012-13", "Quarter": 1}]}
        ),
    ],
    Reason.HEADER_DUPLICATE_COLUMN: [
        event_file(GOOD.replace("DayFraction", "DayFraction,DayFraction"))
    ],
    Reason.HEADER_BLANK_COLUMN: [event_file(GOOD.replace("DayFraction", "DayFraction,"))],
    Reason.WRONG_LAYOUT: [
        lambda drops: woodland(drops, "ATTENDANCE", [WOODLAND_DAY.replace("|", "\t")] * 3),
        lambda drops: woodland(drops, "ATTENDANCE", [f"{WOODLAND_DAY}|x"] * 3),
    ],
    Reason.RECORD_TOO_LONG: [
        event_file(GOOD.replace("TRAILER", '"' + "x\r\n" * 600_000 + "TRAILER"))
    ],
    Reason.TOO_MANY_REJECTED_ROWS: [
        lambda drops: events(drops, {"EventCode": "Q"}),
        lambda drops: clairton(drops, CLAIRTON | {"Students": [CLAIRTON_STUDENT | {"ID": "x"}]}),
    ],
    Reason.TRAILER_MISSING: [event_file(GOOD.replace("TRAILER", "THE END"))],
    Reason.TRAILER_COUNT_MISMATCH: [
        event_file(GOOD.replace("TRAILER,1,", "TRAILER,2,")),
        event_file(GOOD.replace("TRAILER,1,", "TRAILER,0,")),
    ],
    Reason.TRAILER_DATE_MISMATCH: [event_file(GOOD.replace("20121001", "20120924"))],
}

ROW_FAULTS: dict[Reason, list[Build]] = {
    Reason.WRONG_FIELD_COUNT: [
        event_file(GOOD.replace("TRAILER,1,", "000000001,0017\r\nTRAILER,2,")),
        lambda drops: woodland(drops, "ATTENDANCE", [WOODLAND_DAY, f"{WOODLAND_DAY}|"]),
    ],
    Reason.STRAY_QUOTE: [
        event_file(GOOD.replace("TRAILER,1", '000000001,00"17,09/05/2012,U,1\r\nTRAILER,2')),
        event_file(GOOD.replace("TRAILER,1", '000000001,"0017"x,09/05/2012,U,1\r\nTRAILER,2')),
    ],
    Reason.UNCLOSED_QUOTE: [
        lambda drops: deliver(
            drops,
            "interventions/2012-10-01/roster.csv",
            ROSTER + b'T,Tutoring,clairton,7,2012-09-01,\nT,"Tutoring,clairton,8,2012-09-01,\n',
        )
    ],
    Reason.STRAY_CARRIAGE_RETURN: [
        event_file(GOOD.replace("TRAILER,1", "000000001,0017,09/05/2012,U\r,1\r\nTRAILER,2"))
    ],
    Reason.NUL_CHARACTER: [
        event_file(GOOD.replace("TRAILER,1", "000000001,0017,09/05/2012,U\0,1\r\nTRAILER,2"))
    ],
    Reason.UNDECODABLE_BYTES: [
        event_file(
            GOOD.replace("TRAILER,1", "000000001,0017,09/05/2012,~,1\r\nTRAILER,2")
            .encode()
            .replace(b"~", b"\x81")
        ),
        a_name_in_another_encoding,
        quotes_in_another_encoding,
        # Converted twice: the second is a control character.
        names("Nuñez", "O\x92Hara", "–"),
    ],
    Reason.REPEATED_HEADER: [
        event_file(GOOD.replace("TRAILER,1", GOOD.split("\r\n")[0] + "\r\nTRAILER,2")),
        roster_headers(ROSTER),
        roster_headers(b"\xef\xbb\xbf" + ROSTER),
    ],
    Reason.MISSING_VALUE: [
        event(EventCode=""),
        event(SchoolCode="  "),
        lambda drops: directory(drops, {}, {"LegalLastName": "   "}),
    ],
    Reason.UNREADABLE_CELL: [sheets(Last="=A1"), sheets(Start="=TODAY()"), sheets(Gr="#N/A")],
    Reason.BAD_FORMAT: [
        event(StudentID="123"),
        event(StudentID="1.23E+08"),
        event(StudentID="000000001x"),
        sheets(ID=1234567),
        sheets(Gr="13"),
    ],
    Reason.UNKNOWN_CODE: [
        event(EventCode="Q"),
        event(EventCode="u"),
        event(DayFraction="0.25"),
        # An unknown partner, so the student's district is unknown.
        lambda drops: deliver(
            drops,
            "interventions/2012-10-01/roster.csv",
            ROSTER + b"T,Tutoring,clairton,7,2012-09-01,\nT,Tutoring,atlantis,8,2012-09-01,\n",
        ),
    ],
    Reason.BAD_DATE: [
        event(EventDate=value)
        for value in ("02/29/2013", "9/4/2012", "45000", "2012-09-04", "09/04/0201", "N/A", "NULL")
    ]
    + [sheets(Start=41148), sheets(Start=time(8, 0)), sheets(Start="13/1/12")],
    Reason.BAD_TIMESTAMP: [
        lambda drops: dhs(drops, "clients", "homelessness", [{}, {"updated_at": "2012-09-01"}]),
        lambda drops: dhs(
            drops, "clients", "homelessness", [{}, {"updated_at": "2012-02-30T10:00:00"}]
        ),
    ],
    Reason.BAD_NUMBER: [
        discipline(Days=value) for value in ("$1,234", "1e1", "one", "1.", "--1", "½")
    ],
    Reason.BAD_BOOLEAN: [
        lambda drops: dhs(drops, "clients", "homelessness", [{}, {"is_deleted": "maybe"}])
    ],
    Reason.BAD_SCHOOL_YEAR: [
        gpa(SchoolYear=value) for value in ("2012-14", "2012", "2012-2013")
    ],
    Reason.OUT_OF_RANGE: [
        gpa(CumulativeGPA="4.01"),
        gpa(Term="5"),
        lambda drops: directory(drops, {}, {"BirthDate": "10/02/2012"}),
        event(EventDate="10/02/2012"),
        discipline(IncidentDate="10/02/2012"),
    ],
    Reason.WRONG_SCHOOL_YEAR: [
        event(EventDate="06/30/2012"),
        event(EventDate="07/01/2013"),
        gpa(SchoolYear="2011-12"),
    ],
    Reason.END_BEFORE_START: [
        lambda drops: dhs(
            drops, "services", "child_welfare", [{}, {"end_date": "2012-01-04"}]
        ),
        lambda drops: directory(drops, {}, {"ExitDate": "08/22/2012", "ExitCode": "WD01"}),
        lambda drops: deliver(
            drops,
            "interventions/2012-10-05/roster.csv",
            ROSTER
            + b"a,b,clairton,1,2012-10-01,2012-10-01\n"
            + b"a,b,clairton,1,2012-10-02,2012-10-01\n",
        ),
    ],
    Reason.CODE_OF_ANOTHER_SOURCE: [
        lambda drops: dhs(drops, "services", "child_welfare", [{}, {"program_code": "SNAP"}])
    ],
}  # fmt: skip


def cases(faults: dict[Reason, list[Build]]) -> list[object]:
    return [
        pytest.param(reason, build, id=f"{reason.value}-{number}")
        for reason, builds in faults.items()
        for number, build in enumerate(builds, 1)
    ]


@pytest.mark.parametrize(("reason", "build"), cases(FILE_FAULTS))
def test_a_file_fault_sets_the_file_aside(tmp_path: Path, reason: Reason, build: Build) -> None:
    build(tmp_path)
    assert [read.reason for read in read_deliveries(tmp_path) if read.fault] == [reason.value]


@pytest.mark.parametrize(("reason", "build"), cases(ROW_FAULTS))
def test_a_row_fault_rejects_the_row_and_the_rest_loads(
    tmp_path: Path, reason: Reason, build: Build
) -> None:
    build(tmp_path)
    files = read_deliveries(tmp_path)
    assert [read.fault for read in files if read.fault] == []
    assert [code for read in files for _, _, code, _ in read.rejected] == [reason.value]
    assert sum(read.counts.rows_rejected for read in files) == 1
    assert [read.issues for read in files if read.issues] == []


# Landing stores all faults in the same way: a few, of different formats and moments.
STORED_FILE_FAULTS = (
    Reason.UNKNOWN_FILE, Reason.CORRUPT_ARCHIVE, Reason.MISSING_SHEET,
    Reason.TOO_MANY_REJECTED_ROWS, Reason.TRAILER_COUNT_MISMATCH,
)  # fmt: skip
STORED_ROW_FAULTS = (
    Reason.STRAY_QUOTE, Reason.UNREADABLE_CELL, Reason.BAD_TIMESTAMP, Reason.UNCLOSED_QUOTE,
    Reason.END_BEFORE_START,
)  # fmt: skip


@pytest.mark.parametrize("reason", STORED_FILE_FAULTS)
def test_nothing_of_a_quarantined_file_stays(
    connection: psycopg.Connection, tmp_path: Path, reason: Reason
) -> None:
    FILE_FAULTS[reason][0](tmp_path)
    outcomes = land(connection, tmp_path)

    quarantined = [o for o in outcomes.values() if o.status == "quarantined"]
    assert [outcome.reason for outcome in quarantined] == [reason.value]
    assert quarantined[0].needs_a_person
    assert connection.execute(
        "select reason_code, rows_loaded, detail is not null, lines = lines_rejected"
        " from landing.files where status <> 'loaded'"
    ).fetchall() == [(reason.value, 0, True, True)]
    stored = connection.execute(
        """
        select count(*) from landing.files as f
        where f.status = 'quarantined' and (
            exists (select from raw.attendance_events as r where r.load_id = f.file_id)
            or exists (select from landing.rejected_rows as r where r.file_id = f.file_id)
        )
        """
    ).fetchone()
    assert stored == (0,)


@pytest.mark.parametrize("reason", STORED_ROW_FAULTS)
def test_a_rejected_row_is_stored_with_its_reason(
    connection: psycopg.Connection, tmp_path: Path, reason: Reason
) -> None:
    ROW_FAULTS[reason][0](tmp_path)
    outcomes = land(connection, tmp_path)
    assert {outcome.status for outcome in outcomes.values()} == {"loaded"}
    assert [row[2] for row in rejects(connection)] == [reason.value]
    assert sum(outcome.counts.rows_rejected for outcome in outcomes.values()) == 1
    assert issues(connection) == []


@pytest.mark.parametrize("build", [gpa(CumulativeGPA="4.00", Term="4"), gpa(CumulativeGPA="0")])
def test_the_bounds_of_a_number_are_in_range(tmp_path: Path, build: Build) -> None:
    build(tmp_path)
    (read,) = read_deliveries(tmp_path)
    assert (read.counts.rows_loaded, read.rejected) == (2, [])


@pytest.mark.parametrize(
    ("rows", "broken", "is_quarantined"),
    [
        (2, 1, False),
        (2, 2, True),
        (12, 10, False),
        (12, 11, True),
        (40, 20, False),
        (40, 21, True),
    ],
)
def test_a_file_of_mostly_broken_rows_is_quarantined(
    tmp_path: Path, rows: int, broken: int, is_quarantined: bool
) -> None:
    """Above half of the rows and above ten, by the seed `rejection_limits`; and all of them."""
    codes = ["Q"] * broken + ["U"] * (rows - broken)
    events(tmp_path, *({"StudentID": f"{n:09}", "EventCode": c} for n, c in enumerate(codes)))
    (read,) = read_deliveries(tmp_path)
    if is_quarantined:
        assert read.fault and read.fault.detail == (
            f"{broken} of {rows} rows are broken: unknown_code in EventCode {broken} times, first "
            "in line 2"
        )
    else:
        assert read.fault is None
        assert (read.counts.rows_loaded, read.counts.rows_rejected) == (rows - broken, broken)


def test_every_reason_has_a_test() -> None:
    tested = {*FILE_FAULTS, *ROW_FAULTS}
    elsewhere = {Reason.SHRUNKEN_SNAPSHOT, Reason.DUPLICATE_CONTENT}  # test_ledger.py
    elsewhere |= {Reason.FAILED_TRANSFORM}  # test_joins.py
    elsewhere |= {Reason.BAD_JSON, Reason.UNREADABLE_PARQUET}  # test_named_values.py
    # test_own_fault.py
    elsewhere |= {Reason.UNREADABLE_FILE, Reason.READER_FAILED, Reason.ARCHIVE_FAILED}
    assert tested | elsewhere == set(Reason)


def test_seed_and_page_list_every_reason_code() -> None:
    seed = (PROJECT_DIR / "seeds" / "policy" / "reason_codes.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(seed.splitlines()))
    document = (PROJECT_DIR / "docs" / "reason_codes.md").read_text(encoding="utf-8")
    documented = [
        tuple(cell.strip() for cell in line.strip("|\n ").split(" | "))
        for line in document.splitlines()
        if line.startswith("| `")
    ]

    assert [row["reason_code"] for row in rows] == list(Reason)
    assert documented == [
        (f"`{row['reason_code']}`", row["meaning"], row["fixed_by"], row["what_happens"])
        for row in rows
    ]
