"""Layouts of real files: titles, footers, merged cells, null markers, flags."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from outcomes.landing.reading import Counts
from outcomes.landing.reasons import FileError

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
        + counts.lines_loaded + counts.lines_rejected + counts.lines_not_for_us
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
    columns = {"school": {"fillDown": True, "required": True}, "id": ID}
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
    assert counts.rows_not_for_us == 2, "also if they have faults"
    assert rejected == {"bad_format": [4], "missing_value": [5], "unknown_code": [6]}
    condition = {"property": "role", "notIn": ["teacher"]}
    assert read(tmp_path, text, {}, columns, rowFilter=[condition])[0] == rows


def test_a_reference_file_is_accepted_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_bytes(b'any,"thing\n\0\n')
    reading = reading_of(contract_for({}, {"name": path.name}, snapshot="reference"), path)
    assert list(reading.blocks()) == []
    assert (reading.counts.lines, reading.counts.lines_not_for_us) == (2, 2)
    assert reading.counts.rows_rejected == 0
