"""A county of invented students, from its student-years to the published gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from tests.python.conftest import UNTESTED, run_dbt
from tests.python.suppression.county import County, add_populations, make_county

from outcomes.config import Settings
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables

GAPS = (
    *UNTESTED,
    "--select", "suppression", "grade_bands", "student_t_coefficients", "wilson_bound",
    "stg_hidden_counts", "stg_withheld_gaps", "int_outcome_gap_strata+",
    "--exclude", "rpt_measure_history",
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
        run_dbt(settings, *GAPS, role="")
        yield settings
        server.execute("drop database county with (force)")


@pytest.fixture(scope="session")
def populations(warehouse: Settings) -> Iterator[Settings]:
    """Small counties of all kinds, a school year each."""
    settings = replace(warehouse, database="populations")
    with connect(warehouse) as server:
        server.execute("create database populations")
        with connect(settings) as connection:
            create_tables(connection)
            districts = {"large": (500, 3), "middle": (200, 2), "small": (60, 1)}
            make_county(connection, County(districts, years=1, seed=0.7))
            add_populations(connection, 5, seed=0.7)
        run_dbt(settings, *GAPS, role="")
        yield settings
        server.execute("drop database populations with (force)")


@pytest.fixture(params=["built_demo", "built_sample", "county"])
def published(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """Gaps that are published, of several kinds of places."""
    settings: Settings = request.getfixturevalue(request.param)
    with connect(settings, autocommit=False) as connection:
        yield connection
        connection.rollback()
