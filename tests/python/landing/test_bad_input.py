"""Bad input that needs more than a check of its reason code."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing import workbook

from .commands import run
from .deliveries import (
    CLAIRTON,
    DIRECTORY,
    EVENT,
    clairton,
    deliver,
    dhs,
    directory,
    events,
    land,
    ledger,
    pittsburgh,
    pittsburgh_csv,
    woodland,
)
from .one_file import Read, read_deliveries

BOOK = "clairton/2012-10-03/Clairton_DHS_2012-10-03.xlsx"
ROSTER = "interventions/2012-10-05/roster.csv"


def statuses(connection: psycopg.Connection) -> list[Any]:
    return ledger(connection, "status, reason_code, rows_loaded, rows_rejected")


# Encoding


def test_a_small_file_of_mixed_encodings_loses_only_its_bad_rows(tmp_path: Path) -> None:
    """The file is in another encoding only if no line with letters beyond ASCII can be decoded."""
    for day, good in (("2012-10-05", "École".encode()), ("2012-10-12", b"Ecole")):
        bad = "103029902|0103|École|2012-09-04|Y".encode("cp1252")
        lines = [bad, bad, bad.replace("École".encode("cp1252"), good)]
        deliver(
            tmp_path,
            f"woodland_hills/{day}/103029902_CALENDAR_{day.replace('-', '')}1930.txt",
            b"\n".join(lines),
        )
    mixed, other = read_deliveries(tmp_path)
    assert mixed.reason is None
    assert [row[2] for row in mixed.rejected] == ["undecodable_bytes"] * 2
    assert other.reason == "wrong_encoding"


# Values


def test_a_name_is_stored_as_it_was_sent(connection: psycopg.Connection, tmp_path: Path) -> None:
    """Formulas, null markers, spaces and accents, composed or not, are text."""
    names = ["=1+1", "+Ada", "-Ada", "@Ada", "Null", "N/A", "NULL", " Ada ", "x^y"]
    names += [unicodedata.normalize(form, "ÉLODIE") for form in ("NFC", "NFD")]
    dhs(
        tmp_path,
        "clients",
        "homelessness",
        [{"source_client_id": f"C{n}", "first_name": name} for n, name in enumerate(names)],
    )
    land(connection, tmp_path)
    stored = connection.execute("select first_name from raw.clients order by line_number")
    assert [name for (name,) in stored] == names


def test_null_markers_are_no_codes_and_dates(tmp_path: Path) -> None:
    odd = {"StudentID": "000000100", "SSN": "N/A", "ExitCode": "NULL", "ExitDate": "01/02/03"}
    directory(tmp_path, {}, odd)
    (read,) = read_deliveries(tmp_path)
    assert sorted(read.issues) == [
        (3, "bad_date", "ExitDate"), (3, "bad_format", "SSN"), (3, "unknown_code", "ExitCode"),
    ]  # fmt: skip
    assert read.rejected == []


# Shape


@pytest.mark.parametrize("counted", [2, 3])
def test_the_trailer_may_count_a_repeated_header(tmp_path: Path, counted: int) -> None:
    header, first, second, _ = pittsburgh_csv([EVENT, EVENT | {"EventCode": "E"}]).splitlines()
    lines = [header, first, header, second, f"TRAILER,{counted},20121001", ""]
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": "\r\n".join(lines)})
    (read,) = read_deliveries(tmp_path)
    assert (read.reason, read.counts.rows_loaded, read.counts.rows_rejected) == (None, 2, 1)


def test_a_second_table_sets_the_file_aside(tmp_path: Path) -> None:
    columns = [p.name for p in load_contracts()["interventions"].objects[0].columns]
    header, quoted = ",".join(columns), ",".join(f'"{name}"' for name in columns)
    row = ",".join("2012-09-04" for _ in columns)
    deliver(tmp_path, ROSTER, f"{header}\n{quoted}\n{row}\n{quoted}\n".encode())
    (read,) = read_deliveries(tmp_path)
    assert read.fault and (read.reason, read.fault.detail) == (
        "wrong_layout", "line 4: a second table begins, with a header in another spelling"
    )  # fmt: skip


def test_a_value_joined_to_the_header_is_not_shown(tmp_path: Path) -> None:
    text = pittsburgh_csv([EVENT]).replace("DayFraction\r\n", "DayFraction")
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": text})
    (read,) = read_deliveries(tmp_path)
    assert read.fault
    assert read.fault.detail == "missing: DayFraction (column 5 holds more?)"


def test_a_very_wide_and_a_very_long_line(tmp_path: Path) -> None:
    wide = ",".join(f"column{n}" for n in range(100_000))
    deliver(tmp_path, ROSTER, f"{wide}\n{wide}\n".encode())
    woodland(tmp_path, "ATTENDANCE", ["x" * 100_000_000])
    tracemalloc.start()
    found = {read.reason for read in read_deliveries(tmp_path)}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 << 20
    assert found == {"header_not_found", "record_too_long"}


# Workbooks


def changed_book(drops: Path, change: Callable[[openpyxl.Workbook], object]) -> Path:
    file = clairton(drops)
    book = openpyxl.load_workbook(file)
    change(book)
    book.save(file)
    return file


def test_a_hidden_sheet_is_read_and_an_unknown_one_is_named(tmp_path: Path) -> None:
    def hide(book: openpyxl.Workbook) -> None:
        book["Tests"].sheet_state = "hidden"
        book.create_sheet("Notes").sheet_state = "veryHidden"

    changed_book(tmp_path, hide)
    reasons = {read.file_name: read.reason for read in read_deliveries(tmp_path)}
    assert reasons["Clairton_DHS_2012-10-03.xlsx/Tests"] is None
    assert reasons["Clairton_DHS_2012-10-03.xlsx/Notes"] == "unknown_file"


def students_of(drops: Path) -> Read:
    """The sheet of students, which is the first."""
    return read_deliveries(drops)[0]


def test_the_1904_epoch_is_understood(tmp_path: Path) -> None:
    def old_macintosh(book: openpyxl.Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904

    changed_book(tmp_path, old_macintosh)
    (student,) = students_of(tmp_path).feeds["students"]
    assert student["birth_date"] == date(2003, 5, 1)


def test_numbers_as_text_and_numbers_that_lost_digits(tmp_path: Path) -> None:
    students = [
        CLAIRTON["Students"][0] | {"ID": "027692", "State ID": "1000000002", "Zip": "15025"},
        CLAIRTON["Students"][0] | {"ID": 27693, "State ID": 1.23e17},
    ]
    clairton(tmp_path, CLAIRTON | {"Students": students})
    read = students_of(tmp_path)
    assert [
        (student["district_student_id"], student["state_student_id"])
        for student in read.feeds["students"]
    ] == [("027692", "1000000002"), ("027693", None)]
    assert [row[1:] for row in read.issues] == [("unreadable_cell", "State ID")]


def test_merged_cells_beyond_the_rows_are_harmless(tmp_path: Path) -> None:
    file = clairton(tmp_path)
    with zipfile.ZipFile(file) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="K1:XFD1048576"/></mergeCells>'
    with zipfile.ZipFile(file, "w") as book:
        for name, part in parts.items():
            book.writestr(name, part.replace(b"</sheetData>", merged))
    assert [(read.reason, read.counts.rows_loaded) for read in read_deliveries(tmp_path)] == [
        (None, 1)
    ] * 4


def test_damaged_workbooks_are_read_or_quarantined_whatever_is_damaged(tmp_path: Path) -> None:
    whole = clairton(tmp_path).read_bytes()
    for number in range(15):
        damaged = bytearray(whole)
        damaged[len(damaged) * number // 15] ^= 0x55
        deliver(tmp_path, BOOK, bytes(damaged))
        found = read_deliveries(tmp_path)
        assert found
        assert all(read.reason or read.counts.rows_loaded for read in found)


@pytest.mark.parametrize("compression", ["zip", "gzip"])
def test_a_workbook_may_be_compressed(tmp_path: Path, compression: str) -> None:
    plain = clairton(tmp_path)
    content = plain.read_bytes()
    plain.unlink()
    contracts = load_contracts()
    objects = []
    for item in contracts["clairton"].objects:
        changes = {"compression": compression}
        layout = item.file.model_dump(by_alias=True, exclude_none=True) | changes
        layout["name"] = f"book.{compression}"
        if compression == "zip":
            layout["member"] = "book.xlsx"
        file = type(item.file).model_validate(layout)
        objects.append(item.model_copy(update={"file": file}))
    contracts["clairton"] = contracts["clairton"].model_copy(update={"objects": objects})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("book.xlsx", content)
    packed = buffer.getvalue() if compression == "zip" else gzip.compress(content)
    deliver(tmp_path, f"clairton/2012-10-03/book.{compression}", packed)
    found = read_deliveries(tmp_path, contracts)
    assert [(read.reason, read.counts.rows_loaded) for read in found] == [(None, 1)] * 4


def test_a_workbook_larger_than_memory_allows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "_MAX_BYTES", 1000)
    clairton(tmp_path)
    assert {read.reason for read in read_deliveries(tmp_path)} == {"archive_too_large"}


# Archives


def test_damaged_archives_are_read_or_quarantined_whatever_is_damaged(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("ATTENDANCE_EVENTS.csv", pittsburgh_csv([EVENT] * 3))
        whole = buffer.getvalue()
        for place in range(0, len(whole), 41):
            for damaged in (whole[:place], whole[:place] + b"\xa5" + whole[place + 1 :]):
                deliver(tmp_path, "pittsburgh/2012-10-01/PPS_DHS_20121001.zip", damaged)
                found = read_deliveries(tmp_path)
                assert found
                assert all(read.reason or read.counts.rows_loaded == 3 for read in found)


# Places


def test_entries_that_are_not_files_are_named_and_the_rest_lands(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    events(tmp_path, {})
    folder = tmp_path / "pittsburgh" / "2012-10-01"
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(tmp_path)
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    (folder / "circle").symlink_to(folder / "circle")
    os.mkfifo(tmp_path / "alone")
    code, output = run("land", tmp_path)
    assert code == 3
    for name in ("pipe", "loop"):
        assert f"{name}: expected a file; it is a link, a pipe or a device" in output
    assert "gone: cannot be read: No such file" in output
    assert "circle: cannot be read: Too many levels" in output
    assert statuses(connection) == [("loaded", None, 1, 0)]
    assert run("land", "/dev/null")[0] == 3
    assert run("land", tmp_path / "alone")[0] == 3


def test_unreadable_files_are_named(
    connection: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = events(tmp_path, {})
    clairton(tmp_path)
    real_open = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == file.name:
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    code, output = run("land", tmp_path)
    assert code == 3
    assert f"{file.name}: cannot be read: Permission denied" in output
    assert {row[0] for row in statuses(connection)} == {"loaded"}


def test_names_of_any_characters_are_shown_and_stored(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    for name in (b"a[/]b.txt", b"bell\x07.txt", b"latin\xe9.txt", b"line\nfeed.txt"):
        path = os.fsdecode(bytes(tmp_path) + b"/clairton/2012-10-03/" + name)
        deliver(tmp_path, path, name)
    code, output = run("land", tmp_path)
    assert code == 3
    names = {name for name, _ in ledger(connection)}
    assert names == {"a[/]b.txt", "bell\\x07.txt", "latin\\xe9.txt", "line\\nfeed.txt"}
    assert all(name in output for name in names)


def test_only_a_folder_named_by_a_full_date_is_a_delivery(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    deliver(tmp_path, "clairton/20121003/x.csv", b"x")
    assert "expected a file in a folder <partner>/<yyyy-mm-dd>/" in run("land", tmp_path)[1]
    with pytest.raises(OutcomesError, match="Not a directory"):
        run("land", tmp_path / "clairton/20121003/x.csv/y")


# People


def test_no_value_of_a_broken_cell_is_shown(
    connection: psycopg.Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "Qanary77"
    directory(tmp_path, {}, *({column: canary} for column in DIRECTORY))
    for day, text in (
        ("2012-09-24", pittsburgh_csv([EVENT]).replace("000000001", f'{canary}"x')),
        ("2012-09-17", pittsburgh_csv([EVENT]).replace("000000001", f"{canary},{canary}")),
        ("2012-09-10", f"{canary}\r\n{pittsburgh_csv([EVENT])}"),
        ("2012-09-03", pittsburgh_csv([EVENT]).replace("DayFraction\r\n", f"DayFraction{canary}")),
        ("2012-08-27", pittsburgh_csv([EVENT]).replace("TRAILER", canary)),
        ("2012-08-20", pittsburgh_csv([EVENT]).replace("TRAILER,1", f"TRAILER,{canary}")),
        ("2012-08-13", pittsburgh_csv([EVENT]).replace("000000001", f'"{canary}')),
        ("2012-08-06", pittsburgh_csv([EVENT]).replace("000000001", f"{canary}\0")),
    ):
        pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": text}, day)
    student = CLAIRTON["Students"][0]
    clairton(tmp_path, CLAIRTON | {"Students": [student | {name: canary} for name in student]})
    woodland(tmp_path, "STUDENT", [f"{canary}|" * 22, canary])
    dhs(tmp_path, "clients", "homelessness", [{"birth_date": canary}, {"updated_at": canary}])
    outputs = run("land", tmp_path)[1]
    for partner in sorted(tmp_path.iterdir()):
        contract = load_contracts()[partner.name].path
        outputs += run("district", "check", contract, *sorted(partner.rglob("*.*")))[1]
    noted = ledger(connection, "files::text")
    noted += connection.execute("select r::text from landing.rejected_rows as r").fetchall()
    noted += connection.execute("select v::text from landing.value_issues as v").fetchall()
    assert len(noted) > 40
    assert "row rejected" in outputs
    shown = (outputs + str(noted) + caplog.text).lower()
    assert canary.lower() not in shown
    assert "nuñez" not in shown, "nor a correct value of the same row"
