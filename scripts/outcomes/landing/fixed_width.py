"""Reads fixed-width text, in which every column has a position in the line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from outcomes.contracts.model import ContractObject
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import Block, empty_rows, reject
from outcomes.landing.text import UNDECODABLE, LineReader

_CUT = "cut"


@dataclass(frozen=True)
class _Field:
    """The position of a column: from `start`, counted from 0, `width` characters or bytes."""

    name: str
    header: str
    start: int
    width: int


def read_header(reader: LineReader, item: ContractObject) -> int:
    """Read the header from the front and check it; returns the number of blank lines before it.

    A name may be cut off at the end of its column.

    Raises:
        FileError: there is no line, or a column's name is not at its position.
    """
    blank = 0
    for first, batch in reader:
        for index, line in enumerate(batch.to_list()):
            if not line.strip():
                blank += 1
                continue
            missing = [
                field.header
                for field in _fields(item)
                if not _is_header(line[field.start : field.start + field.width], field)
            ]
            if len(missing) == len(item.columns):
                expected = ", ".join(prop.header for prop in item.columns)
                raise FileError(
                    Reason.HEADER_NOT_FOUND,
                    f"expected a header with the columns {expected}; none of them is there",
                )
            if missing:
                raise FileError(
                    Reason.HEADER_MISSING_COLUMN, f"missing at its position: {', '.join(missing)}"
                )
            reader.push_back(first + index + 1, batch.slice(index + 1))
            return blank
    raise FileError(Reason.EMPTY_FILE, "expected a header; the file has no line")


def read_fixed_width(reader: LineReader, item: ContractObject) -> Iterator[Block]:
    """The rows of a fixed-width file, block by block, without padding blanks.

    A line is rejected if it is shorter or longer than the layout, or has a tab, whose width is
    unknown. If the layout trims blanks at the end, a line may be shorter, but must not end
    with a blank.
    """
    layout, fields = item.file, _fields(item)
    names = [field.name for field in fields]
    width = layout.line_width or max(field.start + field.width for field in fields)
    unit = layout.width_unit
    in_bytes = unit == "bytes" and layout.encoding == "utf-8"
    line = pl.col("line")
    length = line.str.len_bytes() if in_bytes else line.str.len_chars()
    is_short = (length > width) if layout.trimmed_lines else (length != width)
    kind = (
        pl.when(line.str.contains(UNDECODABLE, literal=True))
        .then(pl.lit(Reason.UNDECODABLE_BYTES.value))
        .when(line.str.contains("\0", literal=True))
        .then(pl.lit(Reason.NUL_CHARACTER.value))
        .when(line.str.strip_chars() == "")
        .then(pl.lit("blank"))
        .when(is_short | line.str.contains("\t", literal=True))
        .then(pl.lit(Reason.WRONG_FIELD_COUNT.value))
    )
    most = "at most " if layout.trimmed_lines else ""
    faults = {
        Reason.UNDECODABLE_BYTES.value: "bytes that are not text in the declared encoding",
        Reason.NUL_CHARACTER.value: "a NUL character",
        Reason.WRONG_FIELD_COUNT.value: f"expected {most}{width} {unit} and no tab",
        _CUT: "a character of several bytes crosses the end of a column",
    }
    for first, lines in reader:
        numbers = pl.int_range(first, first + len(lines), eager=True)
        frame = pl.DataFrame({"line_start": numbers, "line_end": numbers}).with_columns(
            lines.str.strip_suffix("\r").alias("line")
        )
        frame = frame.with_columns(kind.alias("kind"))
        if in_bytes and not frame["line"].str.join("").item().isascii():
            frame = _without_cut_characters(frame, fields)
        slices = (_slice(field, in_bytes=in_bytes) for field in fields)
        rows = frame.filter(pl.col("kind").is_null()).select("line_start", "line_end", *slices)
        rejected = reject(
            frame.filter(pl.col("kind").is_in([*faults])),
            pl.col("kind").replace(_CUT, Reason.WRONG_FIELD_COUNT.value),
            pl.col("kind").replace_strict(faults, default=None),
        )
        blank = int((frame["kind"] == "blank").sum())
        yield Block(rows if rows.height else empty_rows(names), rejected, blank)


def _fields(item: ContractObject) -> list[_Field]:
    """The columns; one without `start` begins after the one before it."""
    fields, end = [], 0
    for prop in item.columns:
        start = end if prop.start is None else prop.start - 1
        end = start + (prop.width or 0)
        fields.append(_Field(prop.name, prop.header, start, prop.width or 0))
    return fields


def _is_header(text: str, field: _Field) -> bool:
    name = field.header.strip()[: field.width]
    return text.strip().lower() == name.strip().lower()


def _slice(field: _Field, *, in_bytes: bool) -> pl.Expr:
    line = pl.col("line")
    if in_bytes:
        part = line.cast(pl.Binary).bin.slice(field.start, field.width)
        text = part.cast(pl.String, strict=False)
    else:
        text = line.str.slice(field.start, field.width)
    text = text.str.strip_chars_end(" ")
    return pl.when(text != "").then(text).alias(field.name)


def _without_cut_characters(frame: pl.DataFrame, fields: list[_Field]) -> pl.DataFrame:
    """Mark rows in which a column begins or ends inside a character."""

    def is_cut(line: str) -> bool:
        sent = line.encode()
        edges = {edge for field in fields for edge in (field.start, field.start + field.width)}
        return any(edge < len(sent) and sent[edge] & 0xC0 == 0x80 for edge in edges)

    cut = frame["line"].map_elements(is_cut, return_dtype=pl.Boolean)
    is_row = pl.col("kind").is_null() & cut
    return frame.with_columns(pl.when(is_row).then(pl.lit(_CUT)).otherwise("kind").alias("kind"))
