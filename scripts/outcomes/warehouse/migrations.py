"""The ledger's definition: migrations, which run once and in order, and functions.

`warehouse.migrations` has what a warehouse got. The functions are the *.sql files of the packages
that own them: all are replaced when their text changes, and those that no file has any more are
dropped.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

from outcomes.errors import OutcomesError
from outcomes.queries import query

# The schemas of the ledger: tables and functions by owner.
LEDGER_SCHEMAS = ("landing", "publishing", "releases", "linking", "privacy", "warehouse")
FUNCTIONS = "functions"
PACKAGE = Path(__file__).parents[1]


@cache
def migrations() -> dict[str, str]:
    """The text of each migration, by its name, in their order."""
    files = (PACKAGE / "warehouse" / "migrations").glob("*.sql")
    return {file.stem: file.read_text("utf-8") for file in sorted(files)}


@cache
def _functions() -> list[str]:
    return [file.read_text("utf-8") for file in sorted(PACKAGE.glob("*/*.sql"))]


@cache
def _functions_checksum() -> str:
    return sha256("".join(_functions()).encode()).hexdigest()


def _applied(connection: psycopg.Connection) -> dict[str, str | None]:
    """What the warehouse has: script → checksum; nothing before the first migration."""
    table = _migrations_table(connection)
    if table is None:
        return {}
    query = sql.SQL("select script, checksum from {}").format(table)
    return dict(connection.execute(query).fetchall())


def _migrations_table(connection: psycopg.Connection) -> sql.Identifier | None:
    """Where the warehouse keeps its migrations: before 0007 in landing."""
    for schema in ("warehouse", "landing"):
        found = connection.execute("select to_regclass(%s)", [f"{schema}.migrations"]).fetchone()
        if found != (None,):
            return sql.Identifier(schema, "migrations")
    return None


def is_behind(connection: psycopg.Connection) -> bool:
    """Whether this release has migrations or functions that the warehouse does not have.

    Raises:
        OutcomesError: the warehouse is of a later release.
    """
    applied = _applied(connection)
    later = sorted(applied.keys() - migrations().keys() - {FUNCTIONS})
    if later:
        raise OutcomesError(
            f"The warehouse {connection.info.dbname} is of a later release than this code, which "
            f"does not know {', '.join(later)}. Update the code: `git pull`, then `make install`."
        )
    return not migrations().keys() <= applied.keys() or (
        applied.get(FUNCTIONS) != _functions_checksum()
    )


def apply_migrations(connection: psycopg.Connection) -> list[str]:
    """Run the migrations that the warehouse does not have, each in a transaction.

    The tables between raw and what people read are dropped, linking's dictionaries among them:
    their columns may be others, or no model may make them any more.

    Returns:
        What ran, in words.
    """
    ran = []
    for name, text in migrations().items():
        with connection.transaction():
            be_alone(connection)
            if name not in _applied(connection):
                _drop_inner_tables(connection)
                connection.execute(text.encode())
                connection.execute(
                    sql.SQL("insert into {} (script) values (%s)").format(
                        _migrations_table(connection)
                    ),
                    [name],
                )
                ran.append(f"migration {name}")
    return ran


def _drop_inner_tables(connection: psycopg.Connection) -> None:
    """Drop what the next build makes again, but keep what people read, seeds and histories."""
    statements = connection.execute(query("outcomes.warehouse", "drop_inner_tables")).fetchall()
    for (statement,) in statements:
        connection.execute(statement.encode())


def be_alone(connection: psycopg.Connection) -> None:
    """Wait for another session's step of an upgrade, and let others wait for this one."""
    connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.upgrade'))")


def replace_functions(connection: psycopg.Connection) -> list[str]:
    """Replace the functions if their text has changed, in the caller's transaction.

    Owners and grants stay. A function with other arguments is another function.

    Returns:
        What changed, in words.
    """
    if _applied(connection).get(FUNCTIONS) == _functions_checksum():
        return []
    for script in _functions():
        connection.execute(script.encode())
    # This transaction has written every function that a file has.
    left_over = connection.execute(
        query("outcomes.warehouse", "functions_left_over"), [list(LEDGER_SCHEMAS)]
    ).fetchall()
    for (function,) in left_over:
        connection.execute(f"drop routine {function}".encode())
    connection.execute(
        """
        insert into warehouse.migrations (script, checksum) values (%s, %s)
        on conflict (script) do update
        set checksum = excluded.checksum, applied_at = clock_timestamp()
        """,
        [FUNCTIONS, _functions_checksum()],
    )
    return ["the functions of the ledger are replaced"] + [
        f"{function} is dropped" for (function,) in left_over
    ]
