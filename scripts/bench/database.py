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
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables


@contextmanager
def temporary_database() -> Iterator[psycopg.Connection]:
    """An empty database with ledger and raw tables; the environment points at it."""
    settings = load_settings()
    name = f"outcomes_bench_{time.time_ns()}"
    before = os.environ.get("OUTCOMES_PG_DATABASE")
    with connect(replace(settings, database="postgres")) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        os.environ["OUTCOMES_PG_DATABASE"] = name
        try:
            with connect(replace(settings, database=name)) as connection:
                create_tables(connection)
                yield connection
        finally:
            os.environ.pop("OUTCOMES_PG_DATABASE")
            if before is not None:
                os.environ["OUTCOMES_PG_DATABASE"] = before
            server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
