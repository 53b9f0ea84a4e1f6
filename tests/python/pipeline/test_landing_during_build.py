"""Files that land during a build are in none of its models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.python.conftest import UNTESTED, run_dbt
from tests.python.pipeline.content import content_hashes

from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect

# All that reads the files, and the most used marts.
BUILD = (*UNTESTED, "--select", "+path:models/deliveries", "+fct_student_years", "+feed_volumes")


@pytest.mark.slow
def test_a_build_reads_the_files_that_landed_before_it(
    demo_drops: Path, make_own_warehouse: Callable[..., Settings]
) -> None:
    # Without the rosters there are students on no roster, until the rosters land.
    early = [path for path in sorted(demo_drops.glob("*/*")) if path.name <= "2012-09-12"]
    early = [path for path in early if path.parent.name != "clairton"]
    undisturbed = make_own_warehouse(demo_drops, *BUILD, files=early)
    disturbed = make_own_warehouse(demo_drops, "run", "--select", "stg_files", files=early)
    contracts = load_contracts()
    with connect(disturbed) as connection:
        late = find_deliveries(demo_drops, contracts).files
        landed = [
            outcome for _, own in land_deliveries(connection, contracts, late) for outcome in own
        ]
        assert sum(outcome.status == "loaded" for outcome in landed) > 10
    run_dbt(disturbed, *BUILD, "--exclude", "stg_files")
    with connect(undisturbed) as one, connect(disturbed) as other:
        expected = content_hashes(one)
        assert len(expected) > 15
        assert content_hashes(other) == expected
