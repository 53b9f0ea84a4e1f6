"""The ledger's definition: migrations, which run once and in order, and functions.

`landing.migrations` has what a warehouse got. The functions are the *.sql files beside this
module: all are replaced when their text changes, and those that no file has any more are dropped.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import resources

import psycopg

from outcomes.errors import OutcomesError
from outcomes.queries import query

FUNCTIONS = "functions"


@cache
def migrations() -> dict[str, str]:
    """The text of each migration, by its name, in their order."""
    files = resources.files("outcomes.warehouse").joinpath("migrations").iterdir()
    named = {file.name.removesuffix(".sql"): file for file in files if file.name.endswith(".sql")}
    return {name: named[name].read_text("utf-8") for name in sorted(named)}


@cache
def _functions() -> list[str]:
    files = resources.files("outcomes.warehouse").iterdir()
    return [
        file.read_text("utf-8")
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".sql")
    ]


@cache
def _functions_checksum() -> str:
    return sha256("".join(_functions()).encode()).hexdigest()


def _applied(connection: psycopg.Connection) -> dict[str, str | None]:
    """What the warehouse has: script → checksum; nothing before the first migration."""
    if connection.execute("select to_regclass('landing.migrations')").fetchone() == (None,):
        return {}
    return dict(connection.execute("select script, checksum from landing.migrations").fetchall())


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
                connection.execute("insert into landing.migrations (script) values (%s)", [name])
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
    left_over = connection.execute(query("outcomes.warehouse", "functions_left_over")).fetchall()
    for (function,) in left_over:
        connection.execute(f"drop routine {function}".encode())
    connection.execute(
        """
        insert into landing.migrations (script, checksum) values (%s, %s)
        on conflict (script) do update
        set checksum = excluded.checksum, applied_at = clock_timestamp()
        """,
        [FUNCTIONS, _functions_checksum()],
    )
    return ["the functions of the ledger are replaced"] + [
        f"{function} is dropped" for (function,) in left_over
    ]
