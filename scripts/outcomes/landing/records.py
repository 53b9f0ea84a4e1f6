"""What every reader hands on, whatever the format: blocks of rows with line numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from outcomes.landing.reasons import Reason

# Longest record (a row with quoted line breaks) and longest line that is read at all.
MAX_RECORD_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class RejectedRow:
    """A row that could not be split into fields: where it is and why; no text of it."""

    line_start: int
    line_end: int
    reason: Reason
    detail: str


@dataclass(frozen=True)
class Piece:
    """A line of one field beside a row: a line break may have torn it off the row.

    `joined` is the row's value in `column` with the piece before or after it.
    """

    line_start: int
    column: str
    joined: str


@dataclass
class Block:
    """Some consecutive rows of a file.

    `rows` has `line_start`, `line_end` and one String column per kept column of the
    contract. Null is an empty field; an empty string is a quoted empty field. `pieces` are
    of these rows.
    """

    rows: pl.DataFrame
    rejected: list[RejectedRow] = field(default_factory=list)
    blank_lines: int = 0
    pieces: list[Piece] = field(default_factory=list)


def empty_rows(columns: list[str]) -> pl.DataFrame:
    """A frame of no rows, with the columns of `Block.rows`."""
    return pl.DataFrame(
        schema={"line_start": pl.Int64, "line_end": pl.Int64} | dict.fromkeys(columns, pl.String)
    )
