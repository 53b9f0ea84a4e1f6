"""A published warehouse, and a copy of it for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.python.conftest import TESTED, copied, run_dbt

from outcomes.config import Settings
from outcomes.warehouse.connection import connect


@pytest.fixture(scope="session")
def first_publication(
    make_warehouse: Callable[..., Settings], demo_drops: Path
) -> Iterator[Settings]:
    """The demo, built on the production target for the first time."""
    settings = make_warehouse(demo_drops, "debug")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("OUTCOMES_TARGET")
        assert "Published: " in run_dbt(settings, *TESTED)
    yield settings


@pytest.fixture
def published(first_publication: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A copy of the published warehouse; the environment points at it, and at production."""
    monkeypatch.delenv("OUTCOMES_TARGET")
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", "published")
    with copied(first_publication, "published") as settings:
        yield settings


@pytest.fixture
def connection(published: Settings) -> Iterator[psycopg.Connection]:
    with connect(published) as opened:
        yield opened
