"""Built warehouses, their exact figures and the policy."""

from __future__ import annotations

import pandas as pd
import pytest

from outcomes.config import Settings
from outcomes.perturbation import TABLE
from outcomes.warehouse.connection import connect


def read(built: Settings, query: str) -> pd.DataFrame:
    with connect(built) as connection:
        cursor = connection.execute(query.encode())
        assert cursor.description
        return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])


@pytest.fixture(scope="module", params=["built_demo", "built_sample"])
def built(request: pytest.FixtureRequest) -> Settings:
    settings: Settings = request.getfixturevalue(request.param)
    return settings


@pytest.fixture(scope="module")
def policy(built: Settings) -> pd.Series:
    row = read(built, "select * from policy.suppression").iloc[0]
    return row.drop("source").astype(float)


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """The perturbation table."""
    return pd.read_csv(TABLE)


@pytest.fixture(scope="module")
def exact(built: Settings) -> pd.DataFrame:
    """The exact figures of ended school years, also of rows that are not public."""
    return read(
        built,
        """
        select gaps.*, group_type = 'all' and program_group = 'any' as is_headline
        from analysis.int_outcome_gaps as gaps
        inner join analysis.int_public_school_years using (school_year)
        where group_type = 'all' or program_group = 'any'
        """,
    )
