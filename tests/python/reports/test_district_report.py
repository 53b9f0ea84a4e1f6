"""A district's workbook, read back: all faults of the district, and no personal data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from tests.python.conftest import UNTESTED
from tests.python.landing.deliveries import (
    AUN,
    CLAIRTON,
    CLAIRTON_STUDENT,
    DIRECTORY,
    EVENT,
    WOODLAND_STUDENT,
    clairton,
    deliver,
    pittsburgh,
    pittsburgh_csv,
    woodland,
)
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.reports import district as district_report
from outcomes.warehouse.connection import connect

BUILD = (*UNTESTED, "--select", "+path:models/quality", "+int_open_faults")
ZIP = "PPS_DHS_20121001.zip"
# Only ids of students may be in the workbook.
PERSONAL_VALUES = [
    DIRECTORY["LegalLastName"], DIRECTORY["LegalFirstName"], DIRECTORY["HomeAddress1"],
    DIRECTORY["GuardianName"], DIRECTORY["Phone"], "987654321", "02/29/2004", "2004-02-29",
    "99/99/2012",
]  # fmt: skip


def faulty_drops(drops: Path) -> Path:
    """Deliveries of three districts, each with known faults."""
    members = {
        "STUDENT_DIRECTORY.csv": [
            DIRECTORY | {"StudentID": f"00000000{n}", "PASecureID": f"100000000{n}"}
            for n in (1, 2, 3)
        ],
        "ATTENDANCE_EVENTS.csv": [EVENT],
    }
    pittsburgh(
        drops, {n: pittsburgh_csv(r, "2012-09-24") for n, r in members.items()}, "2012-09-24"
    )
    newer = {
        "STUDENT_DIRECTORY.csv": [
            DIRECTORY | {"SSN": "987654321"},
            # Has the state id of the first student, but is another child.
            DIRECTORY | {"StudentID": "000000002", "LegalFirstName": "Eve"},
            DIRECTORY | {"StudentID": "000000004", "PASecureID": "1000000004", "SSN": "98765432"},
            DIRECTORY | {"StudentID": "000000005", "EntryDate": "99/99/2012"},
        ],
        "ATTENDANCE_EVENTS.csv": [EVENT, EVENT | {"StudentID": "000000099"}],
    }
    calendar = "School,SchoolName,CalendarDate,InSession\r\nTRAILER,0,20121001\r\n"
    pittsburgh(
        drops,
        {n: pittsburgh_csv(r) for n, r in newer.items()} | {"SCHOOL_CALENDAR.csv": calendar},
    )
    deliver(drops, "pittsburgh/2012-10-01/=cmd.csv", b"unknown")
    # A broken row of an earlier delivery, which the newer one has replaced.
    clairton(drops, {**CLAIRTON, "Students": [CLAIRTON_STUDENT, CLAIRTON_STUDENT | {"Gr": "x"}]},
             day="2012-09-26")  # fmt: skip
    clairton(drops)
    woodland(drops, "STUDENT", [WOODLAND_STUDENT.replace("|N||", "|Y|=1+1|")])
    woodland(drops, "ENROLLMENT", [f"{AUN}|0103|1000000003|2012-08-27|E01|008",
                                   f"{AUN}|0103|1000000009|2012-08-27|E01|008"])  # fmt: skip
    # A week with far fewer absences is held.
    absences = [f"{AUN}|0103|1000000003|2012-09-{day:02}|A|N" for day in range(4, 22)]
    woodland(drops, "ATTENDANCE", absences, day="2012-09-28")
    woodland(drops, "ATTENDANCE", absences[:2])
    return drops


@pytest.fixture(scope="module")
def built(
    make_warehouse: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return make_warehouse(faulty_drops(tmp_path_factory.mktemp("faulty")), *BUILD)


def report(built: Settings, district_id: str, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The workbook's rows, as dictionaries by heading, by sheet."""
    file = folder / f"{district_id}.xlsx"
    with connect(built) as connection:
        district_report.write_report(connection, district_id, file)
    book = openpyxl.load_workbook(file)
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) in ((None, 0), (1, 0))
    return {
        sheet.title: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        for sheet in book
        for rows in [list(sheet.values)]
    }


@pytest.fixture
def workbook(built: Settings, tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    return report(built, "pittsburgh", tmp_path)


def columns_of(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def cells(workbook: dict[str, list[dict[str, Any]]]) -> set[str]:
    return {str(value) for rows in workbook.values() for row in rows for value in row.values()}


def test_the_summary_begins_with_what_to_do(
    workbook: dict[str, list[dict[str, Any]]],
) -> None:
    assert columns_of(workbook["Summary"][:4], "what", "finding", "state", "what to do") == [
        ("What to correct", "Pittsburgh Public Schools", None, None),
        (
            "To do 1",
            "Missing files: COURSE_MARKS, DISCIPLINE, STUDENT_DEMOGRAPHICS, TERM_GPA",
            "urgent",
            "Send them.",
        ),
        ("To do 2", "Files not loaded: 2", "urgent", "Fix and send them again: sheet Files."),
        ("To do 3", "Rejected rows: 1", "to fix", "Fix them: sheet Rejected rows."),
    ]


def test_the_summary_names_the_contact(
    built: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_CONTACT", "data@county.example, 412-555-0100")
    summary = report(built, "clairton", tmp_path)["Summary"]
    assert ("Questions", "data@county.example, 412-555-0100") in columns_of(
        summary, "what", "finding"
    )


def test_the_summary_names_the_worst_problem(workbook: dict[str, list[dict[str, Any]]]) -> None:
    rows = {row["what"]: row for row in workbook["Summary"]}
    summary = {what: row["finding"] for what, row in rows.items()}
    assert summary["Grade of this delivery"] == "failing"
    assert summary["Worst problem of this delivery"] == "Files that broke their contract: 2 of 4."
    assert summary["File ATTENDANCE_EVENTS"] == "as agreed"
    assert rows["Grade of this delivery"]["state"] == "urgent"
    assert rows["File ATTENDANCE_EVENTS"]["state"] == "fine"
    rejected = rows["Rejected rows"]
    assert rejected["state"] == "to fix"
    assert "Rejected rows" in rejected["what to do"]
    assert rejected["by when"] == rows["File ATTENDANCE_EVENTS"]["by when"]
    assert str(rejected["by when"]) == "2012-10-08 00:00:00"


def test_a_file_that_came_is_not_asked_for_again(
    workbook: dict[str, list[dict[str, Any]]], built: Settings, tmp_path: Path
) -> None:
    rows = {row["what"]: row for row in workbook["Summary"]}
    assert rows["File SCHOOL_CALENDAR"]["finding"] == "came, but was not loaded"
    assert "sheet Files" in rows["File SCHOOL_CALENDAR"]["what to do"]
    summary = report(built, "woodland_hills", tmp_path)["Summary"]
    held = {row["what"]: row for row in summary}["File ATTENDANCE"]
    assert held["finding"] == "came, but is held: many rows are missing"
    assert held["what to do"] == "Tell us whether the missing rows were removed on purpose."


@pytest.mark.parametrize("district_id", ["pittsburgh", "clairton", "woodland_hills"])
def test_the_summary_counts_what_the_sheets_list(
    built: Settings, tmp_path: Path, district_id: str
) -> None:
    sheets = report(built, district_id, tmp_path)
    found = {row["what"]: row["finding"] for row in sheets["Summary"]}
    for title in (
        "Rejected rows", "Unreadable values", "Unknown codes", "Incomplete students",
        "Shared state ids", "Days not enrolled", "Attendance gaps",
    ):  # fmt: skip
        assert found[title] == (len(sheets[title]) if title in sheets else "none"), title
    for line, state in (
        ("Files not loaded", "not loaded"),
        ("Files held because many rows are missing", "held"),
    ):
        listed = sum(row["state"] == state for row in sheets.get("Files", []))
        assert found[line] == (listed or "none"), line


def test_every_sheet_that_asks_for_something_has_a_line(
    workbook: dict[str, list[dict[str, Any]]],
) -> None:
    lines = {row["what"]: row for row in workbook["Summary"]}
    asking = {
        title for title, rows in workbook.items() if any(row.get("what to do") for row in rows)
    }
    assert "Shared state ids" in asking
    for title in asking - {"Summary", "Files"}:
        assert lines[title]["state"] == "to fix", title


def test_students_with_attendance_on_days_not_enrolled_are_listed(
    workbook: dict[str, list[dict[str, Any]]],
) -> None:
    assert columns_of(
        workbook["Days not enrolled"], "student id", "attendance rows", "first day", "last day"
    ) == [("000000001", 1, datetime(2012, 9, 4), datetime(2012, 9, 4))]


def test_files_are_listed_with_what_to_do(workbook: dict[str, list[dict[str, Any]]]) -> None:
    assert columns_of(workbook["Files"], "file", "state", "rows rejected") == [
        ("'=cmd.csv", "not loaded", 0),
        (f"{ZIP}/SCHOOL_CALENDAR.csv", "not loaded", 0),
        (f"{ZIP}/ATTENDANCE_EVENTS.csv", "loaded", 0),
        (f"{ZIP}/STUDENT_DIRECTORY.csv", "loaded", 1),
    ]
    calendar = workbook["Files"][1]
    assert "SchoolCode" in calendar["found"]
    assert calendar["what it means"] and "column" in calendar["what to do"]


def test_faults_are_listed_by_line(workbook: dict[str, list[dict[str, Any]]]) -> None:
    columns = ("file", "line", "column", "expected")
    file = f"{ZIP}/STUDENT_DIRECTORY.csv"
    assert columns_of(workbook["Rejected rows"], *columns) == [
        (file, 5, "EntryDate", "expected a date MM/dd/yyyy"),
    ]
    assert columns_of(workbook["Unreadable values"], *columns) == [
        (file, 4, "SSN", "expected [0-9]{9}"),
    ]
    assert all(row["what to do"] for row in workbook["Rejected rows"])


def test_students_are_named_by_id_where_the_district_has_to_look(
    workbook: dict[str, list[dict[str, Any]]],
) -> None:
    assert columns_of(workbook["Incomplete students"], "file", "student id as sent", "rows") == [
        ("ATTENDANCE_EVENTS", "000000099", 1)
    ]
    assert all(row["what to do"] for row in workbook["Incomplete students"])
    assert columns_of(workbook["New or missing students"], "file", "student id", "change") == [
        ("STUDENT_DIRECTORY", "000000003", "vanished"),
        ("STUDENT_DIRECTORY", "000000004", "appeared"),
    ]
    assert columns_of(workbook["Shared state ids"], "state id", "student ids", "names differ") == [
        ("1000000001", "000000001, 000000002", True)
    ]


def test_an_unmapped_code_cannot_be_a_formula(built: Settings, tmp_path: Path) -> None:
    woodland_hills = report(built, "woodland_hills", tmp_path)
    assert columns_of(woodland_hills["Unknown codes"], "read as", "code", "rows") == [
        ("students.primary_disability", "'=1+1", 1)
    ]


def test_an_unmapped_code_is_in_a_column_that_the_district_knows(
    built: Settings, tmp_path: Path
) -> None:
    woodland_hills = report(built, "woodland_hills", tmp_path)
    assert columns_of(woodland_hills["Unknown codes"], "file and column") == [
        ("STUDENT: PrimaryDisability",)
    ]


def test_faults_of_a_replaced_file_are_not_listed(built: Settings, tmp_path: Path) -> None:
    clean = report(built, "clairton", tmp_path)
    assert "Rejected rows" not in clean
    assert all(clean.values()), "an empty sheet"
    assert {row["delivery"].day for row in clean["Files"]} == {3, 26}
    with connect(built) as connection:
        assert connection.execute(
            "select reason_code, occurrences, is_superseded from quality.file_issues "
            "where partner_id = 'clairton'"
        ).fetchall() == [("bad_format", 1, True)]


def test_the_workbook_has_no_name_birth_date_or_number(built: Settings, tmp_path: Path) -> None:
    for district_id in ("pittsburgh", "clairton", "woodland_hills"):
        text = "\n".join(cells(report(built, district_id, tmp_path)))
        assert [value for value in PERSONAL_VALUES if value in text] == []


def test_another_districts_rows_never_appear(built: Settings, tmp_path: Path) -> None:
    marks = {
        "pittsburgh": ["PPS_DHS", "000000004", "Pittsburgh"],
        "clairton": ["Clairton", "027692"],
        "woodland_hills": [AUN, "1000000009", "Woodland"],
    }
    for district_id, own in marks.items():
        text = "\n".join(cells(report(built, district_id, tmp_path)))
        assert any(mark in text for mark in own)
        others = [mark for other in marks if other != district_id for mark in marks[other]]
        assert [mark for mark in others if mark in text] == []


def test_a_long_list_is_shortened(
    built: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(district_report, "MAX_ROWS", 1)
    rows = report(built, "pittsburgh", tmp_path)["New or missing students"]
    assert [row["file"] for row in rows] == ["STUDENT_DIRECTORY", "… and 1 more"]


def test_the_command_prints_the_file_of_the_report(
    built: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", built.database)
    usual = built.files_dir / "reports" / "2012-10-05" / "clairton.xlsx"
    chosen = tmp_path / "chosen.xlsx"

    done = CliRunner().invoke(cli, ["report", "district", "clairton"])
    assert done.exit_code == 0
    assert str(usual) in done.output
    assert usual.exists()
    assert CliRunner().invoke(
        cli, ["report", "district", "clairton", "--out", str(chosen)]
    ).exit_code == 0  # fmt: skip
    assert chosen.exists()


@pytest.mark.parametrize("district_id", ["atlantis", "dhs", "../pittsburgh"])
def test_an_unknown_district_is_refused(district_id: str) -> None:
    result = CliRunner().invoke(cli, ["report", "district", district_id])
    assert isinstance(result.exception, OutcomesError)
    assert "Known are: clairton, cornell, pittsburgh, woodland_hills" in str(result.exception)


def test_a_warehouse_that_was_not_built_is_an_error(
    database: Settings, connection: psycopg.Connection, tmp_path: Path
) -> None:
    with pytest.raises(OutcomesError, match="outcomes build"):
        district_report.report_file(connection, "clairton")
    with pytest.raises(OutcomesError, match="outcomes build"):
        district_report.write_report(connection, "clairton", tmp_path / "report.xlsx")
