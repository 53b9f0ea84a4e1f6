"""Acting as one of the roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus


@contextmanager
def acting_as(connection: psycopg.Connection, role: str) -> Iterator[None]:
    """Act with the rights of a role, and no others."""
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    try:
        yield
    finally:
        # A closed connection or a failed transaction resets the role itself.
        if connection.info.transaction_status in (
            TransactionStatus.IDLE,
            TransactionStatus.INTRANS,
        ):
            connection.execute("reset role")
