"""A built database for one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.python.conftest import copied

from outcomes.config import Settings


@pytest.fixture
def demo(built_demo: Settings) -> Iterator[Settings]:
    """A copy of the demo for one test."""
    with copied(built_demo, "copied_demo") as settings:
        yield settings
