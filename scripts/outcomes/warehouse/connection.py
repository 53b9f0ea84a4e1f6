"""Connections to the warehouse."""

from __future__ import annotations

import psycopg

from outcomes.config import Settings, load_settings
from outcomes.errors import OutcomesError


def connect(settings: Settings | None = None, *, autocommit: bool = True) -> psycopg.Connection:
    """Open a connection; `autocommit` leaves transactions to `connection.transaction()`.

    Raises:
        OutcomesError: the server cannot be reached or refuses the login.
    """
    settings = settings or load_settings()
    try:
        return psycopg.connect(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password or None,
            dbname=settings.database,
            autocommit=autocommit,
            application_name="outcomes",
        )
    except psycopg.OperationalError as error:
        if f'database "{settings.database}" does not exist' in str(error):
            raise OutcomesError(
                f"The database {settings.database} does not exist at {settings.host}:"
                f"{settings.port}. Create it, or name another in OUTCOMES_PG_DATABASE; "
                "`outcomes warehouse start` creates it on the embedded server."
            ) from None
        raise OutcomesError(
            f"Cannot connect to PostgreSQL at {settings.host}:{settings.port} as "
            f"{settings.user}, database {settings.database}: {str(error).strip()}\n"
            "Start the embedded server with `outcomes warehouse start`, or point "
            "OUTCOMES_PG_HOST, _PORT, _USER, _PASSWORD and _DATABASE at your own."
        ) from None
