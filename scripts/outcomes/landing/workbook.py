"""Reads the sheets of an XLSX workbook, with their cells as text.

A number cell has no leading zeros, and no decimal point if it is whole: 15025.0 is `15025`. A
date cell becomes `yyyy-mm-dd`, whatever format the workbook displays.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any
from zipfile import BadZipFile, ZipFile

import openpyxl
import polars as pl
import python_calamine

from outcomes.landing import limits
from outcomes.landing.header import Mapping
from outcomes.landing.kinds import not_xlsx
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import Block
from outcomes.landing.text import ByteStream, Ending, Survey
from outcomes.landing.workbook_size import require_size

Rows = list[list[str]]

# The text of a cell whose value is unknown.
UNREADABLE = "\0"
# The text of a cell that is merged with the one above it, until that one's value is filled in.
_MERGED = "\0above"

# A workbook is a zip archive with the same limits as others, and is read into memory.
_MAX_BYTES = 64 << 20

# A larger number has lost digits: a workbook keeps fifteen.
_MAX_EXACT = 10**15

# Each sheet is read or, if the contract does not know it, entered in the ledger.
_MAX_SHEETS = 100

# The XML of a formula, or of an error.
_FORMULA_OR_ERROR = re.compile(rb"<(?:[\w.-]+:)?f[\s>/]|\st\s*=\s*[\"']e[\"']")


def sheet_names(stream: ByteStream) -> list[str]:
    """Names of the workbook's sheets.

    Raises:
        FileError: it cannot be opened.
    """
    content = _content(stream)
    try:
        with ZipFile(io.BytesIO(content)) as parts:
            if parts.testzip() is not None:
                raise BadZipFile
            require_size(parts)
    except FileError:
        raise
    except Exception as error:
        raise _unreadable(error) from None
    names = list(_open(content).sheet_names)
    if len(names) > _MAX_SHEETS:
        raise FileError(
            Reason.ARCHIVE_TOO_LARGE,
            f"expected at most {_MAX_SHEETS} sheets; found {len(names)}",
        )
    return names


def read_sheet(stream: ByteStream, sheet: str) -> Rows:
    """All cells of a sheet, as text, from the first row and column on.

    Raises:
        FileError: the workbook cannot be opened.
    """
    content = _content(stream)
    try:
        cells = _open(content).get_sheet_by_name(sheet)
        rows = [[as_text(cell) for cell in row] for row in cells.to_python(skip_empty_area=False)]
        unreadable = _without_value(content, sheet)
    except FileError:
        raise
    except Exception as error:  # two parsers on bytes from outside can raise anything
        raise _unreadable(error) from None
    for (top, left), (bottom, right) in cells.merged_cell_ranges or []:
        for row in range(top, min(bottom + 1, len(rows))):
            for column in range(left, min(right + 1, len(rows[row]))):
                if column > left:
                    unreadable.add((row, column))
                elif row > top and rows[top][left] and not rows[row][column]:
                    # Excel deletes the values below the first; one that a program left is the
                    # row's own.
                    rows[row][column] = _MERGED
    for row, column in unreadable:
        if row < len(rows) and column < len(rows[row]) and not rows[row][column]:
            rows[row][column] = UNREADABLE
    # A sheet's used area can extend beyond its last column, by formatting without content.
    width = max((n + 1 for row in rows for n, cell in enumerate(row) if cell), default=0)
    return [row[:width] for row in rows]


def find_header(
    rows: Rows, header_row: int | None, skip_lines: re.Pattern[str] | None
) -> int | None:
    """The index of the header: its given row, or the first that is not empty or a title."""
    if header_row is not None:
        is_there = header_row <= len(rows) and any(rows[header_row - 1])
        return header_row - 1 if is_there else None
    for n, row in enumerate(rows):
        if any(row) and not (skip_lines and skip_lines.fullmatch(_line(row))):
            return n
    return None


def is_merged(cell: str) -> bool:
    """Whether a cell is merged with the one above it."""
    return cell == _MERGED


def readable(row: list[str]) -> list[str]:
    """A row in which unreadable and merged cells are empty."""
    return ["" if cell.startswith(UNREADABLE) else cell for cell in row]


def ending(rows: Rows, footer: re.Pattern[str] | None, *, has_trailer: bool) -> Ending:
    """The rows below the table: footers and a trailer, as in text."""
    text = "\n".join(_line(row) for row in rows) + "\n"
    found = Survey("", 0, len(rows), "\n", text.encode(), None)
    return found.ending("utf-8", footer, has_trailer=has_trailer)


def _line(row: list[str]) -> str:
    """A row of titles or totals as one line of text."""
    cells = (" ".join(cell.split()) for cell in row if not cell.startswith(UNREADABLE))
    return " ".join(cell for cell in cells if cell)


def read_rows(rows: Rows, mapping: Mapping, first: int, filled: Collection[str]) -> Block:
    """The rows below the header as one block; `first` is the number of the first row.

    A merged cell has its value in every row of the columns that are `filled` down; in others it
    is unreadable, as is one that begins above the rows.
    """
    kept = [(first + n, row) for n, row in enumerate(rows) if any(cell.strip() for cell in row)]
    numbers = [number for number, _ in kept]
    columns: dict[str, Any] = {
        "line_start": pl.Series(numbers, dtype=pl.Int64),
        "line_end": pl.Series(numbers, dtype=pl.Int64),
    }
    for name, index in mapping.field_of.items():
        cells, above = [], UNREADABLE
        for _, row in kept:
            if row[index] != _MERGED:
                above = row[index]
            is_known = row[index] != _MERGED or name in filled
            cells.append((above if is_known else UNREADABLE) or None)
        columns[name] = pl.Series(cells, dtype=pl.String)
    return Block(pl.DataFrame(columns), blank_lines=len(rows) - len(kept))


def as_text(cell: Any) -> str:
    """A cell's value as a person would type it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if abs(cell) >= _MAX_EXACT:
            return UNREADABLE
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        is_day = cell.time() == time()
        return cell.date().isoformat() if is_day else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    text = str(cell)
    return UNREADABLE if "\0" in text else text


def _without_value(content: bytes, sheet: str) -> set[tuple[int, int]]:
    """Cells with an error, or with a formula without a value; calamine may return them as empty."""
    with ZipFile(io.BytesIO(content)) as parts:
        if not any(_FORMULA_OR_ERROR.search(parts.read(name)) for name in parts.namelist()):
            return set()
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    cells = book[sheet]
    cells.reset_dimensions()  # a sheet's stated size can be wrong
    return {
        (row_number, column_number)
        for row_number, row in enumerate(cells.iter_rows())
        for column_number, cell in enumerate(row)
        if cell.data_type in ("e", "f")
    }


def _content(stream: ByteStream) -> bytes:
    """The workbook's bytes, if its size is within the limits."""
    content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise FileError(
            Reason.ARCHIVE_TOO_LARGE, f"expected a workbook of at most {_MAX_BYTES >> 20} MB"
        )
    if problem := not_xlsx(content):
        raise FileError(Reason.UNREADABLE_WORKBOOK, f"expected an XLSX workbook; {problem}")
    try:
        with ZipFile(io.BytesIO(content)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
    except Exception as error:
        raise _unreadable(error) from None
    if unpacked > limits.allowed_bytes(len(content)):
        raise limits.too_large()
    return content


def _open(content: bytes) -> python_calamine.CalamineWorkbook:
    try:
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except Exception as error:  # a parser on bytes from outside can raise anything
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> FileError:
    return FileError(
        Reason.UNREADABLE_WORKBOOK,
        f"expected an XLSX workbook; it cannot be opened ({type(error).__name__})",
    )
