"""Sheets of an XLSX workbook, their cells as text.

A number cell has no leading zeros and no decimal point of its own: 15025.0 is `15025`. A
date cell becomes `yyyy-mm-dd`, whatever it looks like on the screen.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import openpyxl
import polars as pl
import python_calamine

from outcomes.landing.header import Mapping
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import Block

Rows = list[list[str]]

# Stands for a cell whose value cannot be known; no text of a workbook can contain it.
UNREADABLE = "\0"

# A workbook is a zip archive: the same care as with the others.
_MAX_EXPANSION = 200
_ALWAYS_ALLOWED_BYTES = 256 << 20


def sheet_names(path: Path) -> list[str]:
    """Names of the workbook's sheets.

    Raises:
        FileError: it cannot be opened.
    """
    return list(_open(path).sheet_names)


def read_sheet(path: Path, sheet: str) -> Rows:
    """All cells of a sheet, as text, from the first row and column on.

    Raises:
        FileError: the workbook cannot be opened.
    """
    cells = _open(path).get_sheet_by_name(sheet)
    rows = [[as_text(cell) for cell in row] for row in cells.to_python(skip_empty_area=False)]
    unreadable = _without_value(path, sheet)
    for (top, left), (bottom, right) in cells.merged_cell_ranges or []:
        covered = {
            (row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)
        }
        unreadable |= covered - {(top, left)}
    for row, column in unreadable:
        if row < len(rows) and column < len(rows[row]) and not rows[row][column]:
            rows[row][column] = UNREADABLE
    # A sheet's used area can reach beyond its last column: formatting without content.
    width = max((n + 1 for row in rows for n, cell in enumerate(row) if cell), default=0)
    return [row[:width] for row in rows]


def read_rows(rows: Rows, mapping: Mapping, first: int) -> Block:
    """The rows below the header as one block; `first` is the sheet's row of the first."""
    filled = [(first + n, row) for n, row in enumerate(rows) if any(cell.strip() for cell in row)]
    numbers = [number for number, _ in filled]
    columns: dict[str, Any] = {
        "line_start": pl.Series(numbers, dtype=pl.Int64),
        "line_end": pl.Series(numbers, dtype=pl.Int64),
    }
    for name, index in mapping.field_of.items():
        columns[name] = pl.Series([row[index] or None for _, row in filled], dtype=pl.String)
    return Block(pl.DataFrame(columns), blank_lines=len(rows) - len(filled))


def as_text(cell: Any) -> str:
    """A cell's value as the text that a person would have typed."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        is_day = cell.time() == time()
        return cell.date().isoformat() if is_day else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _without_value(path: Path, sheet: str) -> set[tuple[int, int]]:
    """Cells with a formula or an error, which calamine may give as empty."""
    with ZipFile(path) as parts:
        is_plain = not any(
            b"<f" in (data := parts.read(name)) or b't="e"' in data
            for name in parts.namelist()
            if name.startswith("xl/worksheets/")
        )
    if is_plain:
        return set()
    book = openpyxl.load_workbook(path, read_only=True)
    return {
        (row_number, column_number)
        for row_number, row in enumerate(book[sheet].iter_rows())
        for column_number, cell in enumerate(row)
        if cell.data_type in ("e", "f")
    }


def _open(path: Path) -> python_calamine.CalamineWorkbook:
    try:
        with ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > max(_ALWAYS_ALLOWED_BYTES, path.stat().st_size * _MAX_EXPANSION):
            raise FileError(
                Reason.ARCHIVE_TOO_LARGE, f"unpacks to more than {_MAX_EXPANSION} times its size"
            )
        return python_calamine.CalamineWorkbook.from_path(str(path))
    except python_calamine.PasswordError:
        detail = "the workbook asks for a password"
    except (python_calamine.CalamineError, BadZipFile, OSError, ValueError) as error:
        detail = f"expected an XLSX workbook; it cannot be opened ({type(error).__name__})"
    raise FileError(Reason.UNREADABLE_WORKBOOK, detail)
