"""Logins that read the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.python.conftest import copied, run_dbt
from tests.python.publishing.warehouse import pretend_build, publish

from outcomes.access.logins import make_login
from outcomes.access.roles import ANALYST
from outcomes.config import Settings
from outcomes.warehouse.connection import connect


@pytest.fixture
def analyst(first_publication: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The environment of an analyst's login."""
    with connect(first_publication) as owner:
        make_login(owner, "ana", "a good one", ANALYST)
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", first_publication.database)
    monkeypatch.setenv("OUTCOMES_PG_USER", "ana")
    monkeypatch.setenv("OUTCOMES_PG_PASSWORD", "a good one")
    yield replace(first_publication, user="ana", password="a good one")
    with connect(first_publication) as owner:
        owner.execute("drop owned by ana; drop role ana")


@pytest.fixture(scope="session")
def large_county(first_publication: Settings) -> Iterator[Settings]:
    """The published demo, as if the county were large enough for public cross tables."""
    with copied(first_publication, "large_county") as settings:
        with pytest.MonkeyPatch.context() as environment, connect(settings) as connection:
            environment.setenv("OUTCOMES_TARGET", "prod")
            connection.execute("update policy.suppression set cross_table_students = 0")
            connection.execute("truncate releases.school_years, releases.outcome_gaps")
            run_dbt(
                settings, "build", "--resource-type", "model", "--resource-type", "function",
                "--select", "resource_type:function", "stg_school_year_releases+",
                "stg_released_outcome_gaps",
            )  # fmt: skip
            publish(connection, pretend_build(connection))
        yield settings
