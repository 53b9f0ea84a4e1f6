"""Writes workbooks in which text stays text, whatever a partner sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

# Colors of states. A cell also names its state, so that color is never the only sign.
_FILLS = {
    state: PatternFill("solid", start_color=color)
    for color, states in {
        "C6E7CE": ("fine", "loaded"),
        "FFE8A3": ("to fix", "held"),
        "F8C4C0": ("urgent", "not loaded"),
    }.items()
    for state in states
}
# A difference such as "+26.2 points" or "-7.2 to -3.8" is none: nothing follows it that calculates.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d[\d.,]*( to [+-][\d.,]+)?( [a-z ]+)?\Z)")


def spreadsheet_text(value: str) -> str:
    """The text without characters that XML forbids, and never a formula.

    A text that begins like a formula gets an apostrophe in front, because programs that open
    the workbook, or a CSV made from it, would run the formula (OWASP, CSV injection).
    """
    printable = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)
    return f"'{printable}" if _FORMULA.match(printable) else printable


@dataclass(frozen=True)
class Sheet:
    """A sheet with a header row: headings with their widths in characters, and rows."""

    title: str
    columns: dict[str, int]
    rows: Sequence[Sequence[Any]]


def write_workbook(file: Path, sheets: Iterable[Sheet]) -> None:
    """Write an XLSX workbook that prints one page wide; completely, or not at all."""
    # First, because openpyxl leaves its temporary files behind if a book is not saved.
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.part")
    # It may hold ids of students: only the owner can read it, from the first byte on.
    unfinished.touch(mode=0o600)
    book = Workbook(write_only=True)
    for content in sheets:
        sheet = book.create_sheet(content.title)
        # In a write-only sheet these must be set before the first row.
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        sheet.page_setup.orientation = "landscape"
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.page_setup.fitToHeight = 0
        for number, width in enumerate(content.columns.values(), start=1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.append([_cell(sheet, heading, bold=True) for heading in content.columns])
        for row in content.rows:
            sheet.append([_cell(sheet, value) for value in row])
    book.save(unfinished)
    unfinished.replace(file)


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, spreadsheet_text(value) if isinstance(value, str) else value)
    cell.font = Font(bold=bold)
    if value in _FILLS:
        cell.fill = _FILLS[value]
    cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=True)
    return cell
