"""How long the whole pipeline takes: land a set of deliveries, build and test the marts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.database import temporary_database
from demo.generate import Progress, generate
from demo.plan import CLIENTS_PER_STUDENT, Plan
from outcomes.config import PROJECT_DIR
from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.build import build

SAMPLE = PROJECT_DIR / "tests" / "sample" / "drops"
STUDENTS = 1200


def measure(console: Console) -> dict[str, Any]:
    """Land and build the demo and the sample.

    Returns:
        For each set of deliveries: rows landed, seconds of landing and of building.
    """
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(
            students=STUDENTS,
            clients=STUDENTS * CLIENTS_PER_STUDENT,
            weeks=6,
            school_years=2,
            seed=7,
        )
        generate(plan, Path(folder) / "demo", Progress(lambda _: None, lambda _: None))
        results["demo"] = _run(Path(folder) / "demo" / "drops", console)
    results["sample"] = _run(SAMPLE, console)
    return results


def _run(drops: Path, console: Console) -> dict[str, Any]:
    contracts = load_contracts()
    with temporary_database() as connection:
        started = time.perf_counter()
        rows = sum(
            outcome.counts.rows_loaded
            for _, outcomes in land_deliveries(
                connection, contracts, find_deliveries(drops, contracts).files
            )
            for outcome in outcomes
        )
        landed = time.perf_counter()
        nodes = build(console).nodes
        built = time.perf_counter()
    return {
        "rows": rows,
        "land_seconds": round(landed - started, 1),
        "build_seconds": round(built - landed, 1),
        "models_and_tests": nodes,
    }
