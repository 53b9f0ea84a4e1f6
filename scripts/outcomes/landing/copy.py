"""Writes frames into tables with COPY, in PostgreSQL's text format."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl
import psycopg
from psycopg import sql

_SPECIAL = ["\\", "\t", "\n", "\r"]


def copy_rows(
    connection: psycopg.Connection,
    table: tuple[str, str],
    rows: pl.DataFrame,
    constants: Mapping[str, str | int | date],
) -> None:
    """Append a frame to (schema, table); `constants` are columns with one value."""
    if rows.is_empty():
        return
    rows = rows.with_columns(pl.lit(value).alias(name) for name, value in constants.items())
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    )
    with connection.cursor().copy(statement) as copy:
        copy.write(_as_text(rows))


def _as_text(rows: pl.DataFrame) -> bytes:
    strings = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    found = rows.select(pl.col(strings).str.contains_any(_SPECIAL).any()).row(0)
    special = [name for name, hit in zip(strings, found, strict=True) if hit]
    text = rows.with_columns(_escape(pl.col(name)) for name in special).write_csv(
        include_header=False,
        separator="\t",
        quote_style="never",
        null_value="\\N",
        datetime_format="%Y-%m-%d %H:%M:%S%.f",
    )
    return text.encode()


def _escape(column: pl.Expr) -> pl.Expr:
    return (
        column.str.replace_all("\\", "\\\\", literal=True)
        .str.replace_all("\t", "\\t", literal=True)
        .str.replace_all("\n", "\\n", literal=True)
        .str.replace_all("\r", "\\r", literal=True)
    )
