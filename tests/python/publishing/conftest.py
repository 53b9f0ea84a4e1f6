"""A copy of a published warehouse for every test."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from tests.python.conftest import copied

from outcomes.config import Settings
from outcomes.warehouse.connection import connect


@pytest.fixture
def published(first_publication: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A copy of the published warehouse; the environment points at it, and at production."""
    monkeypatch.setenv("OUTCOMES_TARGET", "prod")
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", "published")
    with copied(first_publication, "published") as settings:
        yield settings


@pytest.fixture
def connection(published: Settings) -> Iterator[psycopg.Connection]:
    with connect(published) as opened:
        yield opened
