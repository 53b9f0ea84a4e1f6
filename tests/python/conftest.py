"""A PostgreSQL for the tests: one embedded server a session, one database a test."""

from __future__ import annotations

import itertools
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from outcomes.config import PROJECT_DIR, Settings, load_settings
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer
from outcomes.warehouse.tables import create_tables

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def warehouse() -> Iterator[Settings]:
    """An embedded server on a free port, in a folder of its own; the environment points at it.

    Use `database` for a test that writes; this one is shared by the whole session.
    """
    folder = Path(tempfile.mkdtemp(prefix="outcomes-tests-"))
    # Run by root, the server belongs to another user, who has to get through.
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HOST", "USER", "PASSWORD", "DATABASE"):
            environment.delenv(f"OUTCOMES_PG_{name}", raising=False)
        environment.setenv("OUTCOMES_WAREHOUSE_DIR", str(folder / "warehouse"))
        environment.setenv("OUTCOMES_PG_PORT", str(_free_port()))
        environment.setenv("PGPASSFILE", str(folder / "pgpass"))
        server = EmbeddedServer(load_settings())
        try:
            server.start()
            yield load_settings()
        finally:
            server.reset()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A new database with the ledger and empty raw tables; the environment points at it."""
    name = f"test_{next(_numbers)}"
    with connect(warehouse) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        settings = replace(warehouse, database=name)
        monkeypatch.setenv("OUTCOMES_PG_DATABASE", name)
        try:
            with connect(settings) as connection:
                create_tables(connection)
            yield settings
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def connection(database: Settings) -> Iterator[psycopg.Connection]:
    """A connection to the test's own database."""
    with connect(database) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the sample deliveries and their truth; the test is skipped without."""
    folder = PROJECT_DIR.parent / "shared"
    if not folder.exists():
        pytest.skip("the sample deliveries are not here")
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
