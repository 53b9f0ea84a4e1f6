"""A server, and a built database, that a test has to itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql
from tests.python.conftest import free_port

from outcomes.config import Settings, load_settings
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer


@pytest.fixture
def new_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A server of the test's own: roles belong to a whole server."""
    folder = Path(tempfile.mkdtemp(prefix="outcomes-tests-"))
    folder.chmod(0o755)
    monkeypatch.setenv("OUTCOMES_WAREHOUSE_DIR", str(folder / "warehouse"))
    monkeypatch.setenv("OUTCOMES_PG_PORT", str(free_port()))
    monkeypatch.delenv("OUTCOMES_PG_DATABASE", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(folder / "pgpass"))
    server = EmbeddedServer(load_settings())
    server.start()
    try:
        yield load_settings()
    finally:
        server.reset()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def copied(built_demo: Settings) -> Iterator[Settings]:
    """A copy of the demo, to build in."""
    settings = replace(built_demo, database="copied_demo")
    name = sql.Identifier(settings.database)
    with connect(replace(built_demo, database="postgres")) as server:
        server.execute(
            sql.SQL("create database {} template {}").format(
                name, sql.Identifier(built_demo.database)
            )
        )
        try:
            yield settings
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(name))
