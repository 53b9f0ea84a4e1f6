"""Fixed-width text: every column has a number of characters, in the contract's order."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from outcomes.contracts.model import ContractObject
from outcomes.landing.reasons import Reason
from outcomes.landing.records import Block, empty_rows, reject
from outcomes.landing.text import UNDECODABLE, LineReader


def read_fixed_width(reader: LineReader, item: ContractObject) -> Iterator[Block]:
    """The rows of a fixed-width file, block by block; padding blanks are dropped.

    A line that is shorter or longer than the layout is rejected, as is one with a tab,
    which stands for nobody knows how many characters.
    """
    slices, width = [], 0
    for prop in item.columns:
        size = prop.width or 0
        field = pl.col("line").str.slice(width, size).str.strip_chars_end(" ")
        slices.append(pl.when(field != "").then(field).alias(prop.name))
        width += size
    names = [prop.name for prop in item.columns]
    line = pl.col("line")
    kind = (
        pl.when(line.str.contains(UNDECODABLE, literal=True))
        .then(pl.lit(Reason.UNDECODABLE_BYTES.code))
        .when(line.str.contains("\0", literal=True))
        .then(pl.lit(Reason.NUL_CHARACTER.code))
        .when(line.str.strip_chars() == "")
        .then(pl.lit("blank"))
        .when((line.str.len_chars() != width) | line.str.contains("\t", literal=True))
        .then(pl.lit(Reason.WRONG_FIELD_COUNT.code))
    )
    faults = {
        Reason.UNDECODABLE_BYTES.code: "bytes that are no text in the declared encoding",
        Reason.NUL_CHARACTER.code: "a NUL character",
        Reason.WRONG_FIELD_COUNT.code: f"expected {width} characters and no tab",
    }
    for first, lines in reader:
        numbers = pl.int_range(first, first + len(lines), eager=True)
        frame = pl.DataFrame({"line_start": numbers, "line_end": numbers}).with_columns(
            lines.str.strip_suffix("\r").alias("line")
        )
        frame = frame.with_columns(kind.alias("kind"))
        rows = frame.filter(pl.col("kind").is_null()).select("line_start", "line_end", *slices)
        rejected = reject(
            frame.filter(pl.col("kind").is_in([*faults])),
            pl.col("kind"),
            pl.col("kind").replace_strict(faults, default=None),
        )
        blank = int((frame["kind"] == "blank").sum())
        yield Block(rows if rows.height else empty_rows(names), rejected, blank)
