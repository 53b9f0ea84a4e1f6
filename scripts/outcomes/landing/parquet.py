"""Reads Parquet files: their typed values as text, part by part.

As in a workbook, a whole number has no decimal point and a date is in ISO form; a leading zero
is there only in text.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from outcomes.contracts.model import ContractObject
from outcomes.landing import limits
from outcomes.landing.deliveries import printable
from outcomes.landing.header import Mapping
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import Block, reject
from outcomes.landing.workbook import UNREADABLE

_ROWS_AT_ONCE = 1 << 15

# From here on, whole numbers can have lost digits.
_MAX_EXACT = {"Float32": 2**24, "Float64": 10**15}
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

_TEXT = (pl.String, pl.Categorical, pl.Enum, pl.Null)


class ParquetFile:
    """A Parquet file, whose content is read when it is asked for.

    Raises:
        FileError: it cannot be opened, or is too large when unpacked.
    """

    def __init__(self, path: Path) -> None:
        self._packed = path.stat().st_size
        self._scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        try:
            # polars unpacks whole pages, so their sizes are looked up before.
            with duckdb.connect(config=_SETTINGS) as reader:
                sizes = "select sum(total_uncompressed_size) from parquet_metadata(?)"
                found = reader.execute(sizes, [glob.escape(str(path))]).fetchone()
            self._schema = self._scan.collect_schema()
            self.rows = int(self._scan.select(pl.len()).collect().item())
        except Exception as error:  # two parsers on bytes from outside can raise anything
            raise _unreadable(error) from None
        self._require_size(int(found[0] or 0) if found else 0)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [printable(name) for name in self._schema.names()]

    def blocks(self, item: ContractObject, mapping: Mapping) -> Iterator[Block]:
        """The rows with the contract's columns; a row's number counts from 1.

        Raises:
            FileError: a column is of a type that is not read, or the content is damaged.
        """
        kinds = self._schema.dtypes()
        for name, place in mapping.field_of.items():
            if kind := _unread_kind(kinds[place]):
                raise FileError(
                    Reason.WRONG_LAYOUT,
                    f"column {name}: expected texts, numbers, true and false, dates, or times "
                    f"without a zone; found {kind}",
                )
        values = [
            _as_text(f"{place}", kinds[place], prop.logical_type).alias(prop.name)
            for prop in item.columns
            for place in [mapping.field_of[prop.name]]
        ]
        characters = 0
        for first in range(0, self.rows, _ROWS_AT_ONCE):
            try:
                part = self._part(first, sorted({*mapping.field_of.values()}))
                # A text can be shared by many rows, so it is counted before it is copied.
                characters += part.height * part.width
                texts = part.select(pl.col(pl.String).str.len_bytes().sum()).sum_horizontal()
                characters += int(texts.sum())
                self._require_size(characters)
                rows = part.select(values)
            except pl.exceptions.PolarsError as error:
                raise _unreadable(error) from None
            yield _block(rows, first + 1)

    def first_values(self, rows: int) -> dict[str, list[str] | None]:
        """The first values of each column as text, or None if its type is not read.

        Raises:
            FileError: the content is damaged.
        """
        found: dict[str, list[str] | None] = {}
        for place, (name, kind) in enumerate(zip(self.names, self._schema.dtypes(), strict=True)):
            found[name] = None
            if _unread_kind(kind) is None:
                try:
                    part = self._part(0, [place], rows)
                    texts = part.select(_as_text(f"{place}", kind, "date")).to_series()
                except pl.exceptions.PolarsError as error:
                    raise _unreadable(error) from None
                found[name] = texts.fill_null("").replace(UNREADABLE, "").to_list()
        return found

    def _part(self, first: int, places: list[int], rows: int | None = None) -> pl.DataFrame:
        """Some rows of the columns at these places, named by them."""
        scan = self._scan.select(pl.nth(places))
        part = scan.slice(first, rows or _ROWS_AT_ONCE).collect()
        part.columns = [f"{place}" for place in places]
        return part.with_columns(pl.col(*_TEXT).cast(pl.String))

    def _require_size(self, size: int) -> None:
        if size > limits.allowed_bytes(self._packed):
            raise limits.too_large()


def _block(rows: pl.DataFrame, first: int) -> Block:
    numbers = pl.int_range(first, first + rows.height, eager=True)
    rows = rows.insert_column(0, numbers.alias("line_start"))
    rows = rows.insert_column(1, numbers.alias("line_end"))
    marks = pl.any_horizontal(
        pl.exclude("line_start", "line_end").str.contains("\0", literal=True)
        & (pl.exclude("line_start", "line_end") != UNREADABLE)
    ).fill_null(value=False)
    has_nul = rows.select(marks.alias("has nul"))["has nul"]
    reason, detail = pl.lit(Reason.NUL_CHARACTER.value), pl.lit("a NUL character")
    return Block(rows.filter(~has_nul), reject(rows.filter(has_nul), reason, detail))


def _unread_kind(kind: Any) -> str | None:
    """What a column holds that is not read: lists, records, bytes, times in a zone."""
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return "times in a zone"
    is_number = kind.is_integer() or kind.is_decimal() or f"{kind}" in _MAX_EXACT
    is_read = kind in _TEXT or is_number or kind in (pl.Boolean, pl.Date, pl.Datetime)
    return None if is_read else f"the type {kind.base_type()}"


def _as_text(name: str, kind: Any, wanted: str) -> pl.Expr:
    """The values of a column as text; a time at midnight is a day, unless times are wanted."""
    value = pl.col(name)
    if kind.is_float():
        is_exact = value.is_finite() & (value.abs() < _MAX_EXACT[f"{kind}"])
        is_whole = value == value.floor()
        return (
            pl.when(value.is_null())
            .then(None)
            .when(~is_exact)
            .then(pl.lit(UNREADABLE))
            .when(is_whole)
            .then(value.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(value.cast(pl.String))
        )
    if kind.is_decimal():
        return value.cast(pl.String).str.replace(r"\.0+$", "")
    if kind == pl.Datetime:
        moment = value.dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
        is_day = value.dt.time() == time()
        day = pl.when(is_day).then(value.dt.strftime("%Y-%m-%d"))
        return moment if wanted == "timestamp" else pl.coalesce(day, moment)
    return value.cast(pl.String)


def _unreadable(error: Exception) -> FileError:
    if isinstance(error, pl.exceptions.DuplicateError):
        return FileError(Reason.HEADER_DUPLICATE_COLUMN, "two columns of the same name")
    return FileError(
        Reason.UNREADABLE_PARQUET,
        f"expected a Parquet file; it cannot be opened ({type(error).__name__})",
    )
