"""Runs the SQL of contracts: DuckDB in memory, on typed rows, without files or network."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import duckdb
import polars as pl

from outcomes.contracts.model import ContractObject
from outcomes.errors import OutcomesError

# The origin of a row; a property cannot have these names.
ORIGIN = {"file_id": "bigint", "line_number": "bigint", "line_end": "bigint"}

_TYPES = {
    "string": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "integer": "bigint",
    "number": "decimal(28, 10)",
    "boolean": "boolean",
}
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "2GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class SqlError(OutcomesError):
    """SQL of a contract that cannot be run; the message never quotes a row."""


class Tables:
    """The objects of a delivery as tables, with the values that SQL computes."""

    def __init__(self, as_of_date: date, school_year: int) -> None:
        self._database = duckdb.connect(":memory:", config=_SETTINGS)
        self._database.execute("create table delivery (as_of_date date, school_year integer)")
        self._database.execute("insert into delivery values (?, ?)", [as_of_date, school_year])
        # Contracts are written by people, so their SQL may read only these tables.
        self._database.execute("set enable_external_access = false")
        self._database.execute("set lock_configuration = true")

    def close(self) -> None:
        """Release the memory."""
        self._database.close()

    def add(self, item: ContractObject, rows: pl.DataFrame) -> pl.DataFrame:
        """Make a table of text rows and compute its SQL; the rows with the results, as text.

        Raises:
            SqlError: the SQL cannot be run on these rows.
        """
        rows = rows.sort("file_id", "line_number")
        sent = [prop for prop in item.properties if not prop.transform_logic]
        types = {**ORIGIN, **{prop.name: _TYPES[prop.produces] for prop in sent}}
        columns = ", ".join(
            f"unnest($c{n})::{kind} as {_quoted(name)}"
            for n, (name, kind) in enumerate(types.items())
        )
        values = {f"c{n}": rows[name].to_list() for n, name in enumerate(types)}
        if rows.is_empty():
            empty = ", ".join(f"{_quoted(name)} {kind}" for name, kind in types.items())
            self._database.execute(f"create table {_quoted(item.name)} ({empty})")
        else:
            self._database.execute(f"create table {_quoted(item.name)} as select {columns}", values)
        computed = []
        for prop in item.transforms:
            values_of = self._compute(
                item.name, prop.name, prop.transform_logic or "", prop.produces
            )
            computed.append(pl.Series(prop.name, values_of, dtype=pl.String))
        return rows.with_columns(computed)

    def holds(self, item: str, condition: str) -> bool:
        """Whether a row of an object meets a condition.

        Raises:
            SqlError: the condition is not valid SQL on this object.
        """
        query = f"select exists (select 1 from {_quoted(item)} where ({condition}\n))"
        return bool(self._run(query, f"{item}: when")[0][0])

    def _compute(self, table: str, column: str, logic: str, kind: str) -> list[str | None]:
        """Add a computed column to a table; its values as text, in the order of the rows."""
        name, stored = _quoted(table), _TYPES[kind]
        # SQL can write `this.` to distinguish the row from another table's columns.
        self._run(
            f"create or replace table {name} as "
            f"select *, cast(({logic}\n) as {stored}) as {_quoted(column)} "
            f"from {name} as this",
            f"{table}.{column}",
        )
        text = f"cast({_quoted(column)} as varchar)"
        if kind == "number":
            text = f"regexp_replace({text}, '\\.?0+$', '')"
        elif kind == "timestamp":
            text = f"strftime({_quoted(column)}, '%Y-%m-%dT%H:%M:%S')"
        rows = self._run(
            f"select {text} from {name} order by file_id, line_number",
            f"{table}.{column}",
        )
        return [row[0] for row in rows]

    def _run(self, query: str, where: str) -> list[tuple[Any, ...]]:
        try:
            if len(duckdb.extract_statements(query)) != 1:
                raise SqlError(f"{where}: expected one expression, found several statements")
            return self._database.execute(query).fetchall()
        except duckdb.ConversionException:
            raise SqlError(f"{where}: a value does not fit the type") from None
        except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
            # This message is about the SQL; it quotes no row.
            raise SqlError(f"{where}: {str(error).splitlines()[0]}") from None
        except duckdb.Error as error:
            raise SqlError(f"{where}: the SQL cannot be run ({type(error).__name__})") from None


def check(objects: Iterable[ContractObject]) -> None:
    """Try the SQL of objects on tables without rows.

    Raises:
        SqlError: it is not valid SQL, or reads a missing table or column.
    """
    tables = Tables(date(2000, 1, 1), 2000)
    conditions = []
    for item in objects:
        sent = [prop.name for prop in item.properties if not prop.transform_logic]
        schema = {**dict.fromkeys(ORIGIN, pl.Int64), **dict.fromkeys(sent, pl.String)}
        tables.add(item, pl.DataFrame(schema=schema))
        if item.delta and item.delta.declared_in:
            conditions.append((item.delta.declared_in, item.delta.when or ""))
    for name, condition in conditions:
        tables.holds(name, condition)
    tables.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
