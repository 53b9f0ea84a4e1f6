"""dbt's tests of the project. The fixture `first_publication` runs the data tests on the demo."""

from __future__ import annotations

from tests.python.conftest import run_dbt

from outcomes.config import Settings


def test_data_tests_pass_on_the_sample(built_sample: Settings) -> None:
    output = run_dbt(built_sample, "test", "--exclude-resource-type", "unit_test")
    assert " WARN=0 " in output and " SKIP=0 " in output


def test_unit_tests_pass(built_demo: Settings) -> None:
    output = run_dbt(built_demo, "test", "--resource-type", "unit_test")
    assert " SKIP=0 " in output
