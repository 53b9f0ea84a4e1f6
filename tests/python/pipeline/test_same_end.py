"""Whatever the order of arrival, and however often: the same end."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.python.conftest import UNTESTED, BuiltWarehouse, run_dbt
from tests.python.pipeline.content import content_hashes, landed_counts

from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries


def test_files_landed_in_any_order_give_the_same_marts(
    built_demo: BuiltWarehouse, make_warehouse: Callable[..., BuiltWarehouse]
) -> None:
    files = sorted(path for path in built_demo.drops.glob("*/*/*") if path.is_file())
    random.Random(5).shuffle(files)
    shuffled = make_warehouse(built_demo.drops, *UNTESTED, files=files)
    with built_demo.connect() as one, shuffled.connect() as other:
        expected = content_hashes(one)
        assert len(expected) > 15
        assert content_hashes(other) == expected


def test_landing_again_changes_nothing(built_demo: BuiltWarehouse) -> None:
    with built_demo.connect() as connection:
        before = landed_counts(connection)
        assert before["raw.students"] > 0
        contracts = load_contracts()
        files = find_deliveries(built_demo.drops, contracts).files
        statuses = {
            outcome.status
            for _, outcomes in land_deliveries(connection, contracts, files)
            for outcome in outcomes
        }
        assert statuses == {"already landed"}
        assert landed_counts(connection) == before


def test_building_again_changes_nothing(built_demo: BuiltWarehouse) -> None:
    with built_demo.connect() as connection:
        before = content_hashes(connection)
        run_dbt(built_demo, "run")
        assert content_hashes(connection) == before


def test_an_earlier_day_is_rebuilt_as_if_nothing_later_had_landed(
    built_demo: BuiltWarehouse, make_warehouse: Callable[..., BuiltWarehouse]
) -> None:
    as_of = "2012-09-12"
    files = [path for path in sorted(built_demo.drops.glob("*/*")) if path.name <= as_of]
    assert 0 < len(files) < len(list(built_demo.drops.glob("*/*")))
    only_then = make_warehouse(built_demo.drops, *UNTESTED, files=files)
    asked_for = make_warehouse(built_demo.drops, "build", "--vars", f"{{as_of: {as_of}}}")
    with only_then.connect() as one, asked_for.connect() as other:
        expected, found = content_hashes(one), content_hashes(other)
        # "Up to the as-of date" differs by design: the day asked for, or the newest delivery.
        assert {k: v for k, v in found.items() if "involve" not in k and "gaps" not in k} == {
            k: v for k, v in expected.items() if "involve" not in k and "gaps" not in k
        }
