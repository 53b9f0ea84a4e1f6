"""One small demo for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from demo.generate import Progress, generate
from demo.plan import Plan

Make = Callable[[Plan, Path], None]


@pytest.fixture(scope="session")
def make() -> Make:
    """Generates a plan without output."""
    silent = Progress(step=lambda text: None, advance=lambda records: None)
    return lambda plan, path: generate(plan, path, silent)


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The plan of `demo`: large enough for every kind of error."""
    return Plan(students=1000, clients=8000, weeks=3, school_years=2, seed=7)


@pytest.fixture(scope="session")
def demo(make: Make, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo."""
    path = tmp_path_factory.mktemp("demo") / "made"
    make(plan, path)
    return path
