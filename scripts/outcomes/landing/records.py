"""Blocks of rows with line numbers: the result of every reader."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

# The longest record (a row with quoted line breaks) and line that is read.
MAX_RECORD_CHARACTERS = 1 << 20


# Rejected rows: their lines and the reason, without their text.
REJECTED = {
    "line_start": pl.Int64,
    "line_end": pl.Int64,
    "reason_code": pl.String,
    "column_name": pl.String,
    "detail": pl.String,
}

# Lines of one field before or after a row, which a line break may have torn off it. `joined`
# is the row's value in `column_name` together with the line.
PIECES = {"line_start": pl.Int64, "column_name": pl.String, "joined": pl.String}


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a file.

    `rows` has `line_start`, `line_end` and one String column per kept column of the
    contract. Null is an empty field; an empty string is a quoted empty field. `rejected`
    has the rows that could not be split into fields, `pieces` the lines that may belong to rows.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED))
    blank_lines: int = 0
    pieces: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PIECES))


def empty_rows(columns: list[str]) -> pl.DataFrame:
    """An empty frame with the columns of `Block.rows`."""
    return pl.DataFrame(
        schema={"line_start": pl.Int64, "line_end": pl.Int64} | dict.fromkeys(columns, pl.String)
    )


def reject(rows: pl.DataFrame, reason_code: pl.Expr, detail: pl.Expr) -> pl.DataFrame:
    """Rejected rows, for a reason that concerns no single column."""
    return rows.select(
        "line_start",
        "line_end",
        reason_code.alias("reason_code"),
        pl.lit(None, dtype=pl.String).alias("column_name"),
        detail.alias("detail"),
    )
