"""Any order and repetition of deliveries gives the same marts."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.python.conftest import TESTED, run_dbt
from tests.python.pipeline.content import BUILD_COMPARED, content_hashes

from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.replay import replay
from outcomes.warehouse.connection import connect


def test_a_replay_in_any_order_gives_the_same_marts(
    built_demo: Settings,
    demo_drops: Path,
    make_own_warehouse: Callable[..., Settings],
    tmp_path: Path,
) -> None:
    """A replay uses the order of receipt, which is random here."""
    archive, contracts = Archive(tmp_path / "archive", tmp_path / "keys"), load_contracts()
    files = find_deliveries(demo_drops, contracts).files
    random.Random(7).shuffle(files)
    for delivered in files:
        archive.keep(delivered)
    rebuilt = make_own_warehouse(demo_drops, files=[], is_built=False)
    with connect(rebuilt) as connection:
        assert "not landed" not in {
            outcome.status for outcome in replay(connection, contracts, archive)
        }
    run_dbt(rebuilt, *BUILD_COMPARED)
    with connect(built_demo) as one, connect(rebuilt) as other:
        assert content_hashes(other) == content_hashes(one)


@pytest.mark.slow
def test_an_earlier_as_of_date_ignores_later_files(
    demo_drops: Path, make_own_warehouse: Callable[..., Settings]
) -> None:
    as_of = "2012-09-12"
    files = [path for path in sorted(demo_drops.glob("*/*")) if path.name <= as_of]
    assert 0 < len(files) < len(list(demo_drops.glob("*/*")))
    only_then = make_own_warehouse(demo_drops, *BUILD_COMPARED, files=files)
    asked_for = make_own_warehouse(demo_drops, *TESTED, "--vars", f"{{as_of: {as_of}}}")
    with connect(only_then) as one, connect(asked_for) as other:
        expected, found = content_hashes(one), content_hashes(other)
        assert len(expected) > 15
        # "Up to the as-of date" differs by design: the requested day, or the newest delivery.
        assert {k: v for k, v in found.items() if "involve" not in k and "gaps" not in k} == {
            k: v for k, v in expected.items() if "involve" not in k and "gaps" not in k
        }
