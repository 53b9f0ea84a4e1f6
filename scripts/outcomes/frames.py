"""Tables of the warehouse as pandas frames, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.numeric import FloatLoader

from outcomes.access.logins import connect_as
from outcomes.access.roles import BUILDER
from outcomes.errors import OutcomesError
from outcomes.queries import query

if TYPE_CHECKING:
    import pandas as pd

# Nullable dtypes, so that integers with nulls stay integers, and null is not false.
_DTYPES = {
    "bool": "boolean",
    "int2": "Int64",
    "int4": "Int64",
    "int8": "Int64",
    "float4": "Float64",
    "float8": "Float64",
    "numeric": "Float64",
    "text": "string",
    "date": "datetime64[s]",
    "timestamptz": "datetime64[us, UTC]",
}

_TABLES = query("outcomes.access", "readable_tables")
_COLUMNS = """
    select attname, trim(coalesce(col_description(attrelid, attnum), ''))
    from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
    order by attnum
"""


def tables() -> pd.DataFrame:
    """List the tables that the login may read: `table_name`, and `description` with the grain.

    Example:
        outcomes.tables()
    """
    import pandas as pd

    with connect_as(BUILDER) as connection:
        rows = connection.execute(_TABLES).fetchall()
    return pd.DataFrame(rows, columns=["table_name", "description"], dtype="string")


def read(
    table: str,
    where: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read a table into a frame of nullable dtypes; performance levels are ordered.

    `frame.attrs["description"]` is the model's description, beginning with its grain, and
    `frame.attrs["columns"]` has each column's meaning and unit.

    Args:
        table: schema and name, as in `tables()`.
        where: a filter: a value by column, or several in a list; None for null.
        columns: the columns to read, in this order; all of them if left out.

    Raises:
        OutcomesError: the login may not read the table, or the table lacks a column.

    Example:
        outcomes.read("marts_pseudonymized.fct_student_years", where={"school_year": [2011, 2012]})
    """
    with connect_as(BUILDER) as connection:
        connection.read_only = True
        connection.adapters.register_loader("numeric", FloatLoader)
        readable: dict[str, str] = dict(connection.execute(_TABLES).fetchall())
        if table not in readable:
            raise OutcomesError(
                f"{connection.info.user} may not read a table {table!r}, or it does not exist. "
                "outcomes.tables() lists the readable tables; `outcomes build` makes them."
            )
        described: dict[str, str] = dict(connection.execute(_COLUMNS, [table]).fetchall())
        wanted = list(described) if columns is None else list(columns)
        for column in [*wanted, *(where or {})]:
            if column not in described:
                raise OutcomesError(
                    f"{table} has no column {column!r}. It has: {', '.join(described)}."
                )
        query = sql.SQL("select {} from {} {}").format(
            sql.SQL(", ").join(map(sql.Identifier, wanted)),
            sql.Identifier(*table.split(".")),
            _condition(where or {}),
        )
        frame = _frame(connection.execute(query))
        levels = [name for name in frame if name == "level" or str(name).endswith("_level")]
        if levels:
            ranked = connection.execute(
                "select level from policy.performance_levels order by rank"
            ).fetchall()
            for name in levels:
                frame[name] = frame[name].astype(_ordered([level for (level,) in ranked]))
    frame.attrs = {
        "description": readable[table],
        "columns": {column: described[column] for column in wanted},
    }
    return frame


def _condition(where: Mapping[str, Any]) -> sql.Composed:
    """The filter as SQL. Names become identifiers and values literals, so none is run."""
    parts = []
    for column, values in where.items():
        one = isinstance(values, str) or not isinstance(values, Iterable)
        name = sql.Identifier(column)
        equal = [
            sql.SQL("{} is null").format(name)
            if value is None
            else sql.SQL("{} = {}").format(name, sql.Literal(value))
            for value in ([values] if one else values)
        ]
        parts.append(
            sql.SQL("({})").format(sql.SQL(" or ").join(equal or [sql.SQL("false").format()]))
        )
    return sql.SQL("where {}").format(sql.SQL(" and ").join([sql.SQL("true"), *parts]))


def _frame(cursor: psycopg.Cursor) -> pd.DataFrame:
    import pandas as pd

    types = cursor.connection.adapters.types
    described = cursor.description or []
    series = zip(*cursor.fetchall(), strict=True) if cursor.rowcount else ((),) * len(described)
    return pd.DataFrame(
        {
            column.name: pd.Series(list(values), dtype=_DTYPES.get(types[column.type_code].name))
            for column, values in zip(described, series, strict=True)
        }
    )


def _ordered(levels: list[str]) -> pd.CategoricalDtype:
    import pandas as pd

    return pd.CategoricalDtype(levels, ordered=True)
