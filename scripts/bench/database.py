"""A database for one measurement, separate from the warehouse's own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from outcomes.config import load_settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables


@contextmanager
def temporary_database() -> Iterator[psycopg.Connection]:
    """An empty database with ledger and raw tables; the environment points at it.

    On a Citus cluster a database has to be made on each node, so there it is the one that the
    environment names, which is emptied again.
    """
    if load_settings().is_distributed:
        with connect() as connection, _emptied(connection):
            create_tables(connection)
            yield connection
    else:
        with _new_database() as connection:
            create_tables(connection)
            yield connection


@contextmanager
def _emptied(connection: psycopg.Connection) -> Iterator[None]:
    if connection.execute("select to_regnamespace('landing')").fetchone() != (None,):
        raise OutcomesError(
            f"The database {connection.info.dbname} is a warehouse, which would be destroyed. "
            "Name an empty one in OUTCOMES_PG_DATABASE."
        )
    yield
    schemas = connection.execute(
        "select nspname from pg_namespace where nspname !~ '^(pg_|citus|information_|public)'"
    ).fetchall()
    for (schema,) in schemas:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))


@contextmanager
def _new_database() -> Iterator[psycopg.Connection]:
    settings = load_settings()
    name = f"outcomes_bench_{time.time_ns()}"
    before = os.environ.get("OUTCOMES_PG_DATABASE")
    with connect(replace(settings, database="postgres")) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        os.environ["OUTCOMES_PG_DATABASE"] = name
        try:
            with connect(replace(settings, database=name)) as connection:
                yield connection
        finally:
            os.environ.pop("OUTCOMES_PG_DATABASE")
            if before is not None:
                os.environ["OUTCOMES_PG_DATABASE"] = before
            server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
