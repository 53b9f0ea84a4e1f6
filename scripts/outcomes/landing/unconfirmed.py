"""What stands at the positions of a contract that no source confirms, for a person to confirm.

Only kinds of values and their counts, never a value: these are records of children.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from outcomes.contracts.model import ContractProperty
from outcomes.landing.reading import FileReading

# So many kinds are named, the most frequent first.
_NAMED_KINDS = 4
# Texts up to this length may be codes, so that their length says something.
_LONGEST_CODE = 4


@dataclass(frozen=True)
class UnconfirmedPosition:
    """The kinds of values at a position, with the number of rows of each."""

    position: int | None
    column: str
    rows: int
    different_values: int
    kinds: list[tuple[str, int]]

    def __str__(self) -> str:
        """A line for the report."""
        named = [f"{kind}: {rows:,}" for kind, rows in self.kinds[:_NAMED_KINDS]]
        more = ["…"] if len(self.kinds) > _NAMED_KINDS else []
        where = f"position {self.position}, " if self.position else ""
        values = "1 value" if self.different_values == 1 else f"{self.different_values:,} values"
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"{where}{self.column}: {values} in {rows} ({', '.join(named + more)})"


def unconfirmed_positions(reading: FileReading) -> Iterator[UnconfirmedPosition]:
    """The kinds of values at each unconfirmed position of a file.

    Raises:
        FileError: the file cannot be read.
    """
    item = reading.file.item
    columns = [prop for prop in item.columns if prop.unconfirmed] if item else []
    if not columns:
        return
    names = [prop.name for prop in columns]
    blocks = [rows.select(names) for rows in reading.rows_as_sent()]
    sent = pl.concat(blocks) if blocks else pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    for prop in columns:
        yield _kinds_of_values(prop, sent[prop.name].fill_null("").str.strip_chars())


def _kinds_of_values(prop: ContractProperty, values: pl.Series) -> UnconfirmedPosition:
    kinds = pl.select(_kind(pl.lit(values))).to_series().value_counts(name="rows")
    kinds = kinds.sort(["rows", kinds.columns[0]], descending=[True, False])
    return UnconfirmedPosition(
        prop.position, prop.name, len(values), values.filter(values != "").n_unique(), kinds.rows()
    )


def _kind(text: pl.Expr) -> pl.Expr:
    """The kind of a text: empty, digits, a date, a short code, or words."""
    length = text.str.len_chars()
    size = length.cast(pl.String)
    return (
        pl.when(text == "")
        .then(pl.lit("empty"))
        .when(text.str.contains(r"^[0-9]+$"))
        .then(pl.concat_str(pl.lit("digits ("), size, pl.lit(")")))
        .when(text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
        .then(pl.lit("dates yyyy-MM-dd"))
        .when(length <= _LONGEST_CODE)
        .then(pl.concat_str(pl.lit("characters ("), size, pl.lit(")")))
        .when(text.str.contains(r"[0-9]"))
        .then(pl.lit("longer texts with digits"))
        .otherwise(pl.lit("longer texts without digits"))
    )
