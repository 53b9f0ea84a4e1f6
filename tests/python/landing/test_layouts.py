"""Layouts of real files: titles, footers, merged cells, null markers, flags."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pydantic import ValidationError

from outcomes.contracts.formats import spring_year
from outcomes.landing.reading import Counts
from outcomes.landing.reasons import FileError
from outcomes.landing.unconfirmed import unconfirmed_positions

from .one_file import contract_for, reading_of

Row = tuple[Any, ...]


def read(
    folder: Path,
    content: str | bytes,
    layout: dict[str, Any],
    columns: dict[str, dict[str, Any]],
    **more: Any,
) -> tuple[list[Row], Counts, dict[str, list[int]]]:
    """The rows of a file, its counts, and the rejected lines by reason.

    Raises:
        FileError: the file is quarantined.
    """
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reading = reading_of(contract_for(columns, {"name": "file", **layout}, **more), path)
    rows: list[Row] = []
    rejected: dict[str, list[int]] = {}
    for block in reading.blocks():
        rows += block.feeds["rows"].drop("line_number").rows()
        for line, _, reason, *_ in block.rejected.iter_rows():
            rejected.setdefault(reason, []).append(line)
    counts = reading.counts
    assert counts.lines == (
        counts.header_lines + counts.blank_lines + counts.trailer_lines
        + counts.lines_loaded + counts.lines_rejected + counts.lines_filtered_out
    )  # fmt: skip
    return rows, counts, rejected


def sheet(*rows: list[Any], merged: str = "") -> bytes:
    """A workbook of one sheet, `S`, with merged cells."""
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = "S"
    for row in rows:
        page.append(row)
    for cells in merged.split():
        page.merge_cells(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def with_xml(workbook: bytes, old: str, new: str) -> bytes:
    """A workbook whose parts have another text in the place of one."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as book, zipfile.ZipFile(changed, "w") as copy:
        for name in book.namelist():
            copy.writestr(name, book.read(name).replace(old.encode(), new.encode()))
    return changed.getvalue()


ID = {"pattern": "[0-9]{2}", "required": True}
TWO: dict[str, dict[str, Any]] = {"id": ID, "name": {}}


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ({"headerRow": 4}, 'Steel Valley, "all"\n\nPrinted 10/1\nid,name\n01,Ada\n'),
        ({"skipLines": "Steel.*|Printed.*"}, 'Steel Valley, "\n\nPrinted 10/1\nid,name\n01,Ada\n'),
        ({"skipLines": "#.*", "header": False}, "# Steel Valley\n#\n\n# x\n01,Ada\n"),
        ({"footer": "Total.*|Printed.*"}, "id,name\n01,Ada\n\nTotal,1\n\nPrinted 10/1\n"),
    ],
)
def test_titles_and_footers_are_not_rows(tmp_path: Path, layout: dict[str, Any], text: str) -> None:
    rows, counts, rejected = read(tmp_path, text, layout, TWO)
    assert rows == [("01", "Ada")]
    assert not rejected
    assert counts.header_lines + counts.trailer_lines == 3
    assert counts.lines - counts.blank_lines == 4


def test_a_moved_header_row_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="header_not_found"):
        read(tmp_path, "Title\nid,name\n01,Ada\n02,Bo\n", {"headerRow": 4}, TWO)


@pytest.mark.parametrize(
    ("layout", "text", "detail"),
    [
        ({}, "id;name\n01;Ada\n", "expected columns between commas; .* between semicolons"),
        ({"delimiter": ";"}, "note\tNAME\tid\n", "between semicolons; .* between tabs"),
        ({"delimiter": "~"}, "id,name\n01,Ada\n", "between the delimiter ~; .* between commas"),
        ({}, '"id";"name"\n"01";"Ada"\n', "expected columns between commas; .* semicolons"),
        ({"delimiter": ";"}, 'id|"name"\n01|"Ada"\n', "between semicolons; .* between bars"),
    ],
)
def test_another_delimiter_is_named(
    tmp_path: Path, layout: dict[str, Any], text: str, detail: str
) -> None:
    with pytest.raises(FileError, match=f"wrong_layout: .*{detail}"):
        read(tmp_path, text, layout, TWO)


def test_a_stray_quote_is_no_other_delimiter(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"header_not_found: line 1: .* malformed"):
        read(tmp_path, 'id,"name"x\n01,Ada\n', {}, TWO)


def test_columns_of_another_file_are_no_other_delimiter(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="header_not_found"):
        read(tmp_path, "key;title\n01;Ada\n", {}, TWO)


def test_a_row_like_a_footer_among_the_rows_is_a_row(tmp_path: Path) -> None:
    text = "id,name\n01,Ada\nTotal,1\n02,Bo\nTotal,2\n"
    rows, counts, rejected = read(tmp_path, text, {"footer": "Total.*"}, TWO)
    assert rows == [("01", "Ada"), ("02", "Bo")]
    assert (counts.trailer_lines, rejected) == (1, {"bad_format": [3]})


def test_names_are_compared_without_case_and_surrounding_space(tmp_path: Path) -> None:
    assert read(tmp_path, " ID ,NaMe\n01,Ada\n", {}, TWO)[0] == [("01", "Ada")]
    exact = {"id": ID, "name": {}}
    assert read(tmp_path, "Id,id,name\nxx,01,Ada\n", {}, exact)[0] == [("01", "Ada")]
    with pytest.raises(FileError, match="header_duplicate_column"):
        read(tmp_path, "Id,ID,name\n01,02,Ada\n", {}, TWO)


def test_a_column_without_its_own_name_is_found_by_position(tmp_path: Path) -> None:
    columns = {
        "id": ID,
        "fall": {"physicalName": "Score", "position": 2},
        "spring": {"physicalName": "score", "position": 3},
        "note": {"physicalName": "", "position": 4},
    }
    text = "id,Score,Score,,\n01,1,2,x,y\n"
    rows, *_ = read(tmp_path, text, {}, columns, ignoredColumns=[""])
    assert rows == [("01", "1", "2", "x")]
    with pytest.raises(FileError, match="column 5 has no name"):
        read(tmp_path, text, {}, columns)
    with pytest.raises(FileError, match="header_missing_column"):
        read(tmp_path, "id,Score,,Score\n01,1,2,x\n", {}, columns)


def test_one_column_can_be_read_as_two(tmp_path: Path) -> None:
    columns: dict[str, dict[str, Any]] = {
        "code": {},
        "days": {"physicalName": "code", "logicalType": "number", "required": True,
                 "valueMap": {"F": 1.0, "H": 0.5}},
    }  # fmt: skip
    rows, _, rejected = read(tmp_path, "code\nF\nH\n0.25\nX\n", {}, columns)
    assert rows == [("F", "1.0"), ("H", "0.5"), ("0.25", "0.25")]
    assert rejected == {"bad_number": [5]}


@pytest.mark.parametrize("header", ["id,name,", "id,name"])
def test_the_field_after_a_trailing_delimiter_is_empty(tmp_path: Path, header: str) -> None:
    text = f'{header}\n01,Ada,\n02,Bo,x\n03,Cy\n04,"D,i",\n'
    rows, _, rejected = read(tmp_path, text, {"trailingDelimiter": True}, TWO)
    assert rows == [("01", "Ada"), ("04", "D,i")]
    assert sorted(rejected["wrong_field_count"]) == [3, 4]


def test_an_empty_value_repeats_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"school": {"fillDown": "blanks", "required": True}, "id": ID}
    text = "school,id\n,01\nA,02\n,03\n,04,x\n,05\nB,06\n,x7\n,08\n,\n"
    for size in (1, 1 << 20):
        monkeypatch.setattr("outcomes.landing.text.BLOCK_BYTES", size)
        rows, _, rejected = read(tmp_path, text, {}, columns)
        assert rows == [("A", "02"), ("A", "03"), ("B", "06"), ("B", "08")]
        # The rejected line 5 may have another school, so the school of line 6 is unknown.
        assert sorted(rejected["missing_value"]) == [2, 6, 10]
        assert rejected["wrong_field_count"] == [5]
        assert rejected["bad_format"] == [8]


def test_a_workbook_with_a_title_merged_cells_and_a_total(tmp_path: Path) -> None:
    content = sheet(
        ["Attendance of September", None, None], [None, None, None],
        ["School", "id", "Days"], ["A", "01", 3], [None, "02", 0.5], ["B", "03", None],
        [None, None, None], ["Total", None, 3.5],
        merged="A1:C1 A4:A5 B6:C6",
    )  # fmt: skip
    columns = {
        "School": {"fillDown": True, "required": True},
        "id": ID,
        "Days": {"logicalType": "number", "required": True},
    }
    layout = {"format": "workbook", "sheet": "S", "headerRow": 3, "footer": "Total .*"}
    rows, counts, rejected = read(tmp_path, content, layout, columns)
    assert rows == [("A", "01", "3"), ("A", "02", "0.5")]
    assert rejected == {"unreadable_cell": [6]}, "cells merged across columns are unreadable"
    assert (counts.header_lines, counts.blank_lines, counts.trailer_lines) == (2, 2, 1)
    layout |= {"trailer": {"pattern": r"Total (?P<rows>[0-9]+)\.5"}, "footer": None}
    assert read(tmp_path, content, layout, columns)[0] == rows
    layout |= {"headerRow": None, "skipLines": "Attendance.*"}
    assert read(tmp_path, content, layout, columns)[0] == rows


# What a column of schools may fill down, merged cells, rows below the header, and what is read.
MERGES: dict[str, tuple[Any, str, list[list[Any]], list[Row], dict[str, list[int]]]] = {
    "a merged cell has its value in every row": (
        True, "A2:A4", [["A", "01"], [None, "02"], [None, "03"], ["B", "04"]],
        [("A", "01"), ("A", "02"), ("A", "03"), ("B", "04")], {},
    ),
    "without the contract's word it is unreadable": (
        False, "A2:A3", [["A", "01"], [None, "02"]], [("A", "01")], {"unreadable_cell": [3]},
    ),
    "an empty cell has no value": (
        True, "A2:A3", [["A", "01"], [None, "02"], [None, "03"]], [("A", "01"), ("A", "02")],
        {"missing_value": [4]},
    ),
    "an empty cell below an empty one has none, merged or not": (
        True, "A3:A4", [["A", "01"], [None, None], [None, "02"]], [("A", "01")],
        {"missing_value": [4]},
    ),
    "a header merged with the rows is not their value": (
        True, "A1:A2", [[None, "01"], ["A", "02"]], [("A", "02")], {"unreadable_cell": [2]},
    ),
    "empty cells are filled where the contract names blanks": (
        "blanks", "A2:A3", [["A", "01"], [None, "02"], [None, "03"], [" ", "04"]],
        [("A", "01"), ("A", "02"), ("A", "03"), ("A", "04")], {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MERGES)
def test_merged_and_empty_cells_are_different_things(tmp_path: Path, case: str) -> None:
    filled, merged, rows, expected, faults = MERGES[case]
    columns = {"school": {"fillDown": filled, "required": True}, "id": ID}
    content = sheet(["school", "id"], *rows, merged=merged)
    read_rows, _, rejected = read(tmp_path, content, {"format": "workbook", "sheet": "S"}, columns)
    assert (read_rows, rejected) == (expected, faults)


def test_a_value_below_a_merged_cell_is_the_rows_own(tmp_path: Path) -> None:
    content = with_xml(
        sheet(["school", "id"], ["A", "01"], ["B", "02"], ["C", "03"]),
        "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
    )  # fmt: skip
    columns = {"school": {"fillDown": True, "required": True}, "id": ID}
    rows, _, rejected = read(tmp_path, content, {"format": "workbook", "sheet": "S"}, columns)
    assert (rows, rejected) == ([("A", "01"), ("B", "02"), ("C", "03")], {})


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ({"fillDown": True}, "which only a workbook has"),
        ({"fillDown": "blanks", "classification": "direct_identifier"}, "another person's"),
        ({"fillDown": "blanks", "feeds": ["gpas.state_student_id"]}, "another person's"),
    ],
)
def test_an_empty_id_is_never_another_childs(column: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        contract_for({"id": column}, {"name": "file"})


FIXED: dict[str, dict[str, Any]] = {
    "id": {**ID, "width": 2},
    "name": {"start": 5, "width": 4, "required": True},
    "school": {"start": 10, "width": 2},
}


def test_fixed_width_columns_have_the_contracts_positions(tmp_path: Path) -> None:
    layout = {"format": "fixed_width", "quoting": False, "lineWidth": 12, "header": True}
    text = "id  name sc\n01xxAda  A1 \n02xxBo   B2\n03C\n"
    rows, counts, rejected = read(tmp_path, text, layout, FIXED)
    assert rows == [("01", "Ada", "A1")]
    assert (counts.header_lines, rejected) == (1, {"wrong_field_count": [3, 4]})
    layout["trimmedLines"] = True
    rows, _, rejected = read(tmp_path, text, layout, FIXED)
    assert rows == [("01", "Ada", "A1"), ("02", "Bo", "B2")]
    assert rejected == {"missing_value": [4]}
    with pytest.raises(FileError, match="missing at its position: school"):
        read(tmp_path, text.replace("sc\n", "\n", 1), layout, FIXED)


def test_widths_can_count_bytes(tmp_path: Path) -> None:
    layout = {"format": "fixed_width", "quoting": False, "header": False, "lineWidth": 11}
    text = "01..Né..XA1\n02..NunéXA1\n03..Nuñez A1\n"
    assert read(tmp_path, text, layout, FIXED)[2] == {"wrong_field_count": [3]}
    with pytest.raises(FileError, match="wrong_layout"):
        read(tmp_path, text, {**layout, "widthUnit": "bytes"}, FIXED)
    text = "01..Né. XA1\n02..NunéXA1\n".replace("Nuné", "NuéN")
    layout |= {"widthUnit": "bytes", "lineWidth": 12}
    columns = FIXED | {"name": {"start": 5, "width": 5}, "school": {"start": 11, "width": 2}}
    assert read(tmp_path, text, layout, columns)[0] == [("01", "Né.", "A1"), ("02", "NuéN", "A1")]
    columns |= {"name": {"start": 5, "width": 3}}
    rows, _, rejected = read(tmp_path, text, layout, columns)
    assert rows == [("01", "Né", "A1")]
    assert rejected == {"wrong_field_count": [2]}, "a column ends inside a character"


@pytest.mark.parametrize(
    ("trailer", "last"),
    [
        ({"marker": "T", "dateFormat": "yyyyMMdd"}, "T  00220121001"),
        ({"pattern": "RECORDS: *(?P<rows>[0-9]+)"}, "RECORDS:   2"),
        ({"pattern": "(?P<rows>[0-9]+) rows, (?P<date>.*)", "dateFormat": "MM/dd/yyyy"},
         "2 rows, 10/01/2012"),
    ],
)  # fmt: skip
def test_a_trailer_of_a_fixed_width_file(
    tmp_path: Path, trailer: dict[str, Any], last: str
) -> None:
    layout = {"format": "fixed_width", "quoting": False, "header": False, "trimmedLines": True,
              "trailer": trailer, "footer": "printed.*"}  # fmt: skip
    text = f"01..Ada  A1\n02..Bo   B2\n{last}\nprinted today\n"
    rows, counts, _ = read(tmp_path, text, layout, FIXED)
    assert (len(rows), counts.trailer_lines) == (2, 2)
    with pytest.raises(FileError, match="trailer_count_mismatch"):
        read(tmp_path, text.replace("02..Bo   B2\n", ""), layout, FIXED)
    with pytest.raises(FileError, match="trailer_missing"):
        read(tmp_path, text.replace(last, "03..Cy"), layout, FIXED)


def test_an_unclosed_quote_before_the_trailer_quarantines_the_file(tmp_path: Path) -> None:
    text = 'id,name\n01,Ada\n02,"Bo\n03,Cy\n04,Di\nT,4,20121001\n'
    trailer = {"marker": "T", "dateFormat": "yyyyMMdd"}
    assert len(read(tmp_path, text.replace('"', ""), {"trailer": trailer}, TWO)[0]) == 4
    with pytest.raises(FileError, match=r"trailer_missing.*line 3"):
        read(tmp_path, text, {"trailer": trailer}, TWO)


def test_null_markers_of_a_file_or_column_become_null(tmp_path: Path) -> None:
    columns: dict[str, dict[str, Any]] = {
        "born": {"logicalType": "date", "format": "yyyyMMdd", "nullMarkers": ["00000000"]},
        "gpa": {"logicalType": "number"},
        "name": {},
        "id": ID,
    }
    text = "born,gpa,name,id\n00000000, . ,N/A,01\n20040229,3.5,00000000,02\n.,.,.,.\n"
    rows, _, rejected = read(tmp_path, text, {"nullMarkers": ["N/A", "."]}, columns)
    assert rows == [(None, None, None, "01"), (date(2004, 2, 29), "3.5", "00000000", "02")]
    assert rejected == {"missing_value": [4]}


def test_a_value_map_is_applied_before_all_checks(tmp_path: Path) -> None:
    columns: dict[str, dict[str, Any]] = {
        "id": {**ID, "padTo": 2},
        "lunch": {"logicalType": "boolean", "valueMap": {"Y": "true", "N": "false"}},
        "grade": {"valueMap": {"KG": "0"}, "pattern": "[0-9]{1,2}"},
    }
    rows, *_ = read(tmp_path, "id,lunch,grade\n1,Y,KG\n2,,11\n3,X,XX\n", {}, columns)
    assert rows == [("01", "true", "0"), ("02", None, "11"), ("03", None, None)]


FLAGS = {
    "hispanic": {}, "white": {}, "black": {},
    "race": {"flags": {
        "columns": {"hispanic": 4, "white": 5, "black": 3}, "several": 6, "first": ["hispanic"],
    }},
}  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "race"),
    [("N,Y,N", "5"), ("N,N,N", None), (",,", None), ("0,1,1", "6"), ("Y,Y,N", "4"), ("N,,1", "3")],
)
def test_flag_columns_become_one_code(tmp_path: Path, flags: str, race: str | None) -> None:
    text = f"hispanic,white,black,id\n{flags},01\n"
    rows, *_ = read(tmp_path, text, {}, {"id": ID} | FLAGS)
    assert rows[0][-1] == race


def test_an_unknown_flag_value_gives_no_code(tmp_path: Path) -> None:
    text = "hispanic,white,black,id\nN,Y,?,01\nN,Y,N,02\n"
    rows, _, rejected = read(tmp_path, text, {}, {"id": ID} | FLAGS)
    assert (rows[0][-1], rejected) == (None, {})
    required = {**FLAGS["race"], "required": True}
    rows, _, rejected = read(tmp_path, text, {}, {"id": ID} | FLAGS | {"race": required})
    assert (len(rows), rejected) == (1, {"unknown_code": [2]})


def test_filtered_rows_are_counted_and_are_no_fault(tmp_path: Path) -> None:
    columns = {"id": ID, "role": {"required": True, "values": ["student", "teacher"]}}
    text = "id,role\n01,student\nxx,teacher\nxx,student\n04,\n05,janitor\n06,teacher\n"
    condition = {"property": "role", "in": ["student"]}
    rows, counts, rejected = read(tmp_path, text, {}, columns, rowFilter=[condition])
    assert rows == [("01", "student")]
    assert counts.rows_filtered_out == 2, "also if they have faults"
    assert rejected == {"bad_format": [4], "missing_value": [5], "unknown_code": [6]}
    condition = {"property": "role", "notIn": ["teacher"]}
    assert read(tmp_path, text, {}, columns, rowFilter=[condition])[0] == rows


def test_a_reference_file_is_accepted_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_bytes(b'any,"thing\n\0\n')
    reading = reading_of(contract_for({}, {"name": path.name}, snapshot="reference"), path)
    assert list(reading.blocks()) == []
    assert (reading.counts.lines, reading.counts.lines_filtered_out) == (2, 2)
    assert reading.counts.rows_rejected == 0


# A text and the school year that a delivery of October 2012 means by it.
SCHOOL_YEARS = {
    "2012-13": 2013, "2012-2013": 2013, "12-13": 2013, "2012/13": 2013, "2012/2013": 2013,
    "FY13": 2013, "FY2013": 2013, "fy 13": 2013, "2013": 2013, " 2013 ": 2013, "1999-00": 2000,
    "99-00": 2000, "2013-14": 2014, "FY12": 2012, "2012": 2012, "13-14": 1914, "FY14": 1914,
    "2012-14": None, "2012-2014": None, "2013-2012": None, "12-14": None, "12-2013": None,
    "13": None, "FY": None, "FY213": None, "2012-": None, "1812-13": None, "12-13-14": None,
    "2012 13": None, "2012-1913": None,
}  # fmt: skip


def test_a_school_year_is_named_by_its_spring(tmp_path: Path) -> None:
    columns = {"year": {"parse": "school_year", "required": True}}
    text = "".join(f"{year}\n" for year in ["year", *SCHOOL_YEARS])
    rows, _, rejected = read(tmp_path, text, {}, columns)
    assert [year for (year,) in rows] == [year for year in SCHOOL_YEARS.values() if year]
    lines = [line for line, year in enumerate(SCHOOL_YEARS.values(), start=2) if year is None]
    assert rejected == {"bad_school_year": lines}


# Values of a column with two formats, and how they are read.
TWO_FORMATS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "dates of two kinds": (
        {"logicalType": "date", "format": "MM/dd/yyyy", "otherFormats": ["yyyy-MM-dd"]},
        {"09/04/2012": date(2012, 9, 4), "2012-09-04": date(2012, 9, 4), "9/4/2012": None,
         "2012-02-30": None},
    ),
    "two digits or four": (
        {"logicalType": "date", "format": "M/d/yy", "otherFormats": ["M/d/yyyy"]},
        {"9/4/95": date(1995, 9, 4), "9/4/2012": date(2012, 9, 4)},
    ),
    "a day that two formats read differently": (
        {"logicalType": "date", "format": "MM/dd/yyyy", "otherFormats": ["dd/MM/yyyy"]},
        {"09/04/2012": None, "04/04/2012": date(2012, 4, 4), "09/14/2012": date(2012, 9, 14),
         "14/09/2012": date(2012, 9, 14)},
    ),
    "times": (
        {"logicalType": "timestamp", "format": "yyyy-MM-dd HH:mm:ss",
         "otherFormats": ["MM/dd/yyyy HH:mm"]},
        {"2012-09-04 08:00:30": datetime(2012, 9, 4, 8, 0, 30),
         "09/04/2012 08:00": datetime(2012, 9, 4, 8), "2012-09-04": None},
    ),
    "months": (
        {"parse": "month", "format": "MM/yyyy", "otherFormats": ["yyyy-MM"]},
        {"09/2012": date(2012, 9, 1), "2012-09": date(2012, 9, 1)},
    ),
    "ends of school years": (
        {"parse": "school_year_end", "format": "yyyy-MM-dd", "otherFormats": ["MM/dd/yyyy"]},
        {"2013-06-30": 2013, "07/01/2013": 2014},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TWO_FORMATS)
def test_a_column_can_have_two_formats(tmp_path: Path, case: str) -> None:
    column, values = TWO_FORMATS[case]
    text = "".join(f"{value}\n" for value in ["when", *values])
    rows, _, rejected = read(tmp_path, text, {}, {"when": column | {"required": True}})
    assert [value for (value,) in rows] == [value for value in values.values() if value]
    lines = [line for line, value in enumerate(values.values(), start=2) if value is None]
    assert [line for found in rejected.values() for line in found] == lines


def test_other_formats_go_with_a_format() -> None:
    column = {"parse": "number_in_code", "otherFormats": ["yyyy"]}
    with pytest.raises(ValueError, match="otherFormats goes with"):
        contract_for({"when": column}, {"name": "file"})


def column(position: int, **more: Any) -> dict[str, Any]:
    return {"position": position, **more}


def test_without_header_each_position_is_read_or_ignored(tmp_path: Path) -> None:
    layout = {"header": False, "delimiter": "|"}
    columns = {"id": column(1), "code": column(4)}
    content = "1|a|b|X|c|d\n2|a|b|Y|c\n3||||\n4|a|b|Z|c|d|e\n5|||||\n"
    rows, _, rejected = read(tmp_path, content, layout, columns, ignoredColumns=["2-3", 5, "6"])
    assert rows == [("1", "X"), ("5", None)]
    assert rejected == {"wrong_field_count": [2, 3, 4]}


@pytest.mark.parametrize(
    ("ignored", "problem"),
    [
        (["2-3", "5"], "position 6 is neither a property nor ignored"),
        (["3", "5-6"], "position 2 is neither a property nor ignored"),
        (["2-4", "5-7"], "position 4 occurs twice"),
        (["2-3", "3", "5-7"], "position 3 occurs twice"),
        (["phone"], "'phone' is not a position"),
        (["6-5"], "'6-5' is not a position"),
        (["0-3"], "'0-3' is not a position"),
    ],
)
def test_ignored_positions_leave_none_open(ignored: list[str], problem: str) -> None:
    columns = {"id": column(1), "code": column(4), "name": column(7)}
    with pytest.raises(ValidationError, match=problem):
        contract_for(columns, {"name": "f", "header": False}, ignoredColumns=ignored)


def test_ignored_positions_need_the_positions_of_the_others() -> None:
    with pytest.raises(ValidationError, match="needs a `position`"):
        contract_for({"id": {}}, {"name": "f", "header": False}, ignoredColumns=["2"])


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2013, 6, 30), 2013), (date(2013, 7, 1), 2013), (date(2013, 8, 31), 2013),
        (date(2013, 9, 1), 2014), (date(2014, 1, 1), 2014),
    ],
)  # fmt: skip
def test_a_school_year_can_close_after_june(day: date, year: int) -> None:
    more = {"snapshot": "school_year", "yearClosesOn": "08-31"}
    (item,) = contract_for({"id": {}}, {"name": "f"}, **more).objects
    assert item.school_year_of(day) == year
    (item,) = contract_for({"id": {}}, {"name": "f"}, snapshot="school_year").objects
    assert item.school_year_of(day) == spring_year(day)


@pytest.mark.parametrize("closes_on", ["06-30", "13-01", "8-31", "08-32"])
def test_a_school_year_closes_on_a_day_from_july_on(closes_on: str) -> None:
    more = {"snapshot": "school_year", "yearClosesOn": closes_on}
    with pytest.raises(ValidationError, match="expected a month and day"):
        contract_for({"id": {}}, {"name": "f"}, **more)


def test_unconfirmed_positions_are_described_without_values(tmp_path: Path) -> None:
    columns = {
        "id": column(1), "race": column(2, unconfirmed=True), "name": column(4, unconfirmed=True),
        "born": column(5, unconfirmed=True), "suffix": column(6, unconfirmed=True),
    }  # fmt: skip
    layout = {"name": "file", "header": False}
    contract = contract_for(columns, layout, ignoredColumns=["3"])
    path = tmp_path / "file"
    path.write_text(
        "1,5,,Lovelace,2001-02-03,\n2,5,,Ng,2001-02-30,Jr\n3,10,,Babbage 3,,\n4,,x,,,\n5\n"
    )
    assert [str(found) for found in unconfirmed_positions(reading_of(contract, path))] == [
        "position 2, race: 2 values in 4 rows (digits (1): 2, digits (2): 1, empty: 1)",
        "position 4, name: 3 values in 4 rows (characters (2): 1, empty: 1, longer "
        "texts with digits: 1, longer texts without digits: 1)",
        "position 5, born: 2 values in 4 rows (dates yyyy-MM-dd: 2, empty: 2)",
        "position 6, suffix: 1 value in 4 rows (empty: 3, characters (2): 1)",
    ]
