"""dbt's tests of the project: data tests on every warehouse, unit tests once."""

from __future__ import annotations

import pytest
from tests.python.conftest import run_dbt

from outcomes.config import Settings


@pytest.mark.parametrize("built", ["built_demo", "built_sample"])
def test_data_tests_pass(built: str, request: pytest.FixtureRequest) -> None:
    output = run_dbt(request.getfixturevalue(built), "test", "--exclude-resource-type", "unit_test")
    assert " WARN=0 " in output and " SKIP=0 " in output


def test_unit_tests_pass(built_demo: Settings) -> None:
    output = run_dbt(built_demo, "test", "--resource-type", "unit_test")
    assert " SKIP=0 " in output
