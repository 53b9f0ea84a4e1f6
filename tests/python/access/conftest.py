"""A built database that a test has to itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.python.conftest import copied

from outcomes.config import Settings


@pytest.fixture
def demo(built_demo: Settings) -> Iterator[Settings]:
    """A copy of the demo, to build in."""
    with copied(built_demo, "copied_demo") as settings:
        yield settings
