"""A workbook is read the same, however a program writes its XML."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from outcomes.config import CONTRACTS_DIR
from outcomes.contracts.reader import load_contract
from outcomes.landing.deliveries import delivered_file
from outcomes.landing.reading import FileReading
from outcomes.landing.reasons import FileError
from outcomes.landing.unpack import logical_files

from .deliveries import clairton
from .foreign import WORKBOOKS

SHEET = "xl/worksheets/sheet1.xml"
Parts = dict[str, str]


def prefixed(parts: Parts) -> None:
    parts[SHEET] = re.sub(r"<(/?)(?=\w)", r"<\1x:", parts[SHEET]).replace("xmlns=", "xmlns:x=")


def single_quoted(parts: Parts) -> None:
    parts[SHEET] = parts[SHEET].replace('"', "'")


def in_another_order(parts: Parts) -> None:
    parts[SHEET] = re.sub(r'<c (r="\w+") (t="\w+")', r"<c\n\2\n\1", parts[SHEET])


def elsewhere(parts: Parts) -> None:
    parts["xl/other/one.xml"] = parts.pop(SHEET)
    for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        parts[name] = parts[name].replace("worksheets/sheet1.xml", "other/one.xml")


WRITTEN = [prefixed, single_quoted, in_another_order, elsewhere]


def broken_values(file: Path, write: Callable[[Parts], None]) -> list[tuple[int, str, str]]:
    """The broken values in a workbook's sheet of students, with its XML written in another way.

    Raises:
        FileError: the workbook is quarantined.
    """
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    write(parts)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    contract = load_contract(CONTRACTS_DIR / "clairton.odcs.yaml")
    students = logical_files(contract, delivered_file(file, "clairton"))[0]
    return [
        (line, reason, column)
        for block in FileReading(contract, students).blocks()
        for line, reason, column, _ in block.issues.iter_rows()
    ]


@pytest.mark.parametrize("write", WRITTEN)
def test_a_sheet_that_spans_too_many_cells_is_refused(
    tmp_path: Path, write: Callable[[Parts], None]
) -> None:
    file = clairton(tmp_path)
    book = openpyxl.load_workbook(file)
    book["Students"]["XFD1048576"] = "far"
    book.save(file)
    with pytest.raises(FileError, match="archive_too_large"):
        broken_values(file, write)


@pytest.mark.parametrize("write", WRITTEN)
def test_a_formula_without_its_value_is_unreadable(
    tmp_path: Path, write: Callable[[Parts], None]
) -> None:
    file = clairton(tmp_path)
    book = openpyxl.load_workbook(file)
    book["Students"]["O2"] = "=1+1"
    book.save(file)
    assert broken_values(file, write) == [(2, "unreadable_cell", "Reason")]


def test_cells_without_a_reference_count_for_the_size(tmp_path: Path) -> None:
    def grow(parts: Parts) -> None:
        row = f"<row>{'<c/>' * 19}<c><v>1</v></c></row>" * 80_000
        parts[SHEET] = parts[SHEET].replace("</sheetData>", f"{row}</sheetData>")

    with pytest.raises(FileError, match="spans 80002 rows and 20 columns"):
        broken_values(clairton(tmp_path), grow)


def test_a_workbook_of_very_many_sheets_is_refused(tmp_path: Path) -> None:
    file = clairton(tmp_path)
    book = openpyxl.load_workbook(file)
    for number in range(100):
        book.create_sheet(f"sheet {number}")
    book.save(file)
    with pytest.raises(FileError, match="found 104"):
        broken_values(file, lambda parts: None)


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_a_workbook_of_another_format_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    content, words = WORKBOOKS[kind]
    file = clairton(tmp_path)
    file.write_bytes(content)
    contract = load_contract(CONTRACTS_DIR / "clairton.odcs.yaml")
    (found,) = logical_files(contract, delivered_file(file, "clairton"))
    with pytest.raises(FileError, match=f"unreadable_workbook.*{words}"):
        [*FileReading(contract, found).blocks()]
