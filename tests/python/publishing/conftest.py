"""A published warehouse, and a copy of it for every test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.python.conftest import run_dbt

from outcomes.access.roles import apply_access
from outcomes.config import Settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.warehouse.connection import connect

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def first_publication(
    make_warehouse: Callable[..., Settings], demo_drops: Path
) -> Iterator[Settings]:
    """The demo, built on the production target for the first time."""
    settings = make_warehouse(demo_drops, "parse")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("OUTCOMES_TARGET")
        assert "Published: " in run_dbt(settings, "build")
    yield settings


@pytest.fixture
def published(first_publication: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A copy of the published warehouse; the environment points at it, and at production."""
    settings = replace(first_publication, database=f"published_{next(_numbers)}")
    name = sql.Identifier(settings.database)
    monkeypatch.delenv("OUTCOMES_TARGET")
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", settings.database)
    with connect(replace(first_publication, database="postgres")) as server:
        server.execute(
            sql.SQL("create database {} template {}").format(
                name, sql.Identifier(first_publication.database)
            )
        )
        try:
            # A copy does not have the rights on the database.
            with connect(settings) as copy:
                apply_access(copy, district_ids(load_contracts().values()))
            yield settings
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def connection(published: Settings) -> Iterator[psycopg.Connection]:
    with connect(published) as opened:
        yield opened
