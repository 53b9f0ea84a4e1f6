"""A county of invented students, from its student-years to the published gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from tests.python.conftest import run_dbt
from tests.python.suppression.county import County, make_county

from outcomes.config import Settings
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables

GAPS = (
    "build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
    "--select", "suppression", "grade_bands", "student_t_coefficients", "wilson_bound",
    "stg_hidden_counts", "int_outcome_gap_strata+",
)  # fmt: skip


@pytest.fixture(scope="session")
def county(warehouse: Settings) -> Iterator[Settings]:
    """Three districts, one of them so small that the others have to hide it."""
    settings = replace(warehouse, database="county")
    with connect(warehouse) as server:
        server.execute("create database county")
        with connect(settings) as connection:
            create_tables(connection)
            districts = {"large": (1500, 5), "middle": (400, 3), "small": (120, 1)}
            make_county(connection, County(districts, years=1, seed=0.4))
        run_dbt(settings, *GAPS)
        yield settings
        server.execute("drop database county with (force)")


@pytest.fixture(params=["built_demo", "built_sample", "county"])
def published(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """Gaps that are published, of several kinds of places."""
    settings: Settings = request.getfixturevalue(request.param)
    with connect(settings, autocommit=False) as connection:
        yield connection
        connection.rollback()
