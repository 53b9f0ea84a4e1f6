"""Connections to the warehouse, and what they need of a server."""

from __future__ import annotations

import os
import re

import psycopg

from outcomes.config import Settings, load_settings
from outcomes.errors import OutcomesError

OLDEST_VERSION = 16

# A server, database or login may have other defaults than PostgreSQL's own.
_SESSION = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "default_transaction_isolation": "read committed",
    # Where the extension fuzzystrmatch is.
    "search_path": "public",
    # Builds take minutes, landing reads a file within a transaction, and a week waits for both.
    "idle_session_timeout": "0",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


def connect(settings: Settings | None = None, *, autocommit: bool = True) -> psycopg.Connection:
    """Open a connection; `autocommit` leaves transactions to `connection.transaction()`.

    Raises:
        OutcomesError: the server cannot be reached, refuses the login, or is not suitable.
    """
    settings = settings or load_settings()
    try:
        connection = psycopg.connect(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password or None,
            dbname=settings.database,
            autocommit=autocommit,
            application_name="outcomes",
            options=session_options(),
        )
    except psycopg.OperationalError as error:
        if f'database "{settings.database}" does not exist' in str(error):
            raise OutcomesError(
                f"The database {settings.database} does not exist at {settings.host}:"
                f"{settings.port}. Name the warehouse's in OUTCOMES_PG_DATABASE. For a new, empty "
                "warehouse create it; `outcomes warehouse start` does on the embedded server."
            ) from None
        raise OutcomesError(
            f"Cannot connect to PostgreSQL at {settings.host}:{settings.port} as "
            f"{settings.user}, database {settings.database}: {str(error).strip()}\n"
            "Start the embedded server with `outcomes warehouse start`, or point "
            "OUTCOMES_PG_HOST, _PORT, _USER, _PASSWORD and _DATABASE at your own."
        ) from None
    try:
        _require_suitable(connection)
    except OutcomesError:
        connection.close()
        raise
    return connection


def session_options(**more: str) -> str:
    """Settings of our sessions, as libpq takes them; those of PGOPTIONS overrule them."""
    options = [
        # A blank or backslash within a value is escaped.
        f"-c {name}=" + re.sub(r"([\\\s])", r"\\\1", value)
        for name, value in (_SESSION | more).items()
    ]
    return " ".join([*options, os.environ.get("PGOPTIONS", "")]).strip()


def _require_suitable(connection: psycopg.Connection) -> None:
    """Check the version of the server and the encoding of the database.

    Raises:
        OutcomesError: PostgreSQL is too old, or the database cannot hold every name.
    """
    found = connection.info
    where = f"the database {found.dbname} at {found.host}:{found.port}"
    if found.server_version < OLDEST_VERSION * 10_000:
        raise OutcomesError(
            f"PostgreSQL at {found.host}:{found.port} is of version "
            f"{found.parameter_status('server_version')}. Expected {OLDEST_VERSION} or newer: "
            "upgrade the server, or point OUTCOMES_PG_HOST and _PORT at another."
        )
    encoding = found.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise OutcomesError(
            f"The encoding of {where} is {encoding}. Expected UTF8. Make another database, `create "
            "database … encoding 'UTF8' locale 'C.UTF-8' template template0`, and name it in "
            "OUTCOMES_PG_DATABASE."
        )
