"""dbt's own tests of the project: those of the data on every warehouse, those of units once."""

from __future__ import annotations

import pytest
from tests.python.conftest import run_dbt

from outcomes.config import Settings


@pytest.mark.parametrize("built", ["built_demo", "built_sample"])
def test_the_data_pass(built: str, request: pytest.FixtureRequest) -> None:
    said = run_dbt(request.getfixturevalue(built), "test", "--exclude-resource-type", "unit_test")
    assert " WARN=0 " in said and " SKIP=0 " in said


def test_the_units_pass(built_demo: Settings) -> None:
    said = run_dbt(built_demo, "test", "--resource-type", "unit_test")
    assert " SKIP=0 " in said
