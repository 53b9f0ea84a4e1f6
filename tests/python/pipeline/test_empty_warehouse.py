"""A warehouse without a delivery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.python.conftest import UNTESTED

from outcomes.config import Settings
from outcomes.warehouse.connection import connect


def test_an_empty_warehouse_builds(
    make_own_warehouse: Callable[..., Settings], tmp_path: Path
) -> None:
    empty = make_own_warehouse(tmp_path, *UNTESTED, files=[])
    with connect(empty) as connection:
        assert connection.execute("select count(*) from marts.fct_student_years").fetchone() == (0,)
