"""What every reader hands on, whatever the format: blocks of rows with line numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

# Longest record (a row with quoted line breaks) and longest line that is read at all.
MAX_RECORD_CHARACTERS = 1 << 20


# Rows that were refused: where they are and why, and no text of them.
REJECTED = {
    "line_start": pl.Int64,
    "line_end": pl.Int64,
    "reason_code": pl.String,
    "column_name": pl.String,
    "detail": pl.String,
}

# Lines of one field beside a row, which a line break may have torn off it. `joined` is the
# row's value in `column_name` with the piece before or after it.
PIECES = {"line_start": pl.Int64, "column_name": pl.String, "joined": pl.String}


@dataclass
class Block:
    """Some consecutive rows of a file.

    `rows` has `line_start`, `line_end` and one String column per kept column of the
    contract. Null is an empty field; an empty string is a quoted empty field. `rejected`
    are rows that could not be split into fields, `pieces` are of these rows.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED))
    blank_lines: int = 0
    pieces: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PIECES))


def empty_rows(columns: list[str]) -> pl.DataFrame:
    """A frame of no rows, with the columns of `Block.rows`."""
    return pl.DataFrame(
        schema={"line_start": pl.Int64, "line_end": pl.Int64} | dict.fromkeys(columns, pl.String)
    )


def reject(rows: pl.DataFrame, reason_code: pl.Expr, detail: pl.Expr) -> pl.DataFrame:
    """Rows of `line_start` and `line_end` as rejected, for a reason that is no column's."""
    return rows.select(
        "line_start",
        "line_end",
        reason_code.alias("reason_code"),
        pl.lit(None, dtype=pl.String).alias("column_name"),
        detail.alias("detail"),
    )
