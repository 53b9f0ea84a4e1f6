"""A server, and a built database, that a test has to itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.python.conftest import copied, free_port

from outcomes.config import Settings, load_settings
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
def demo(built_demo: Settings) -> Iterator[Settings]:
    """A copy of the demo, to build in."""
    with copied(built_demo, "copied_demo") as settings:
        yield settings
