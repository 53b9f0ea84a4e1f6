"""How long the whole pipeline takes: land deliveries, then build, test and publish."""

from __future__ import annotations

import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from bench.database import temporary_database
from demo.generate import Progress, generate
from demo.plan import CLIENTS_PER_STUDENT, Plan
from outcomes.cli.progress import progress_bar
from outcomes.config import PROJECT_DIR
from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import DeliveredFile, find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.publishing.build import build

SAMPLE = PROJECT_DIR / "tests" / "sample" / "drops"
PLANS = {
    "demo": Plan(1200, 1200 * CLIENTS_PER_STUDENT, weeks=6, school_years=2, seed=7),
    "county": Plan(32_000, 15_000_000, weeks=2, school_years=2, seed=7),
}
# Models and tests that take less are not listed.
SLOW_SECONDS = 1.0


def measure(console: Console) -> dict[str, Any]:
    """Land and build the sample, then a demo and a county, of which the last week by itself.

    Returns:
        For each set of deliveries: rows landed, seconds of landing and of building, and the
        seconds of slow models and tests.
    """
    results = {}
    with temporary_database() as connection:
        results["sample"] = _run(connection, _files(SAMPLE), console)
    for name, plan in PLANS.items():
        with tempfile.TemporaryDirectory() as folder:
            with console.status(f"Inventing a {name}"):
                generate(plan, Path(folder) / name, Progress(lambda _: None, lambda _: None))
            results |= run_plan(console, name, plan, Path(folder) / name / "drops")
    return results


def run_plan(console: Console, name: str, plan: Plan, drops: Path) -> dict[str, Any]:
    """Land and build the deliveries of a plan: all but those of the last week, then these."""
    files = _files(drops)
    last_week = [file for file in files if file.as_of_date > plan.last_day - timedelta(weeks=1)]
    before = [file for file in files if file not in last_week]
    with temporary_database() as connection:
        results = {f"{name}, from nothing": _run(connection, before, console)}
        # In a real week autovacuum would do this.
        connection.execute("vacuum analyze")
        return results | {f"{name}, a week": _run(connection, last_week, console)}


def _files(drops: Path) -> list[DeliveredFile]:
    return find_deliveries(drops, load_contracts()).files


def _run(
    connection: psycopg.Connection, files: list[DeliveredFile], console: Console
) -> dict[str, Any]:
    started = time.perf_counter()
    with console.status(f"Landing {len(files)} files"):
        rows = sum(
            outcome.counts.rows_loaded
            for _, outcomes in land_deliveries(connection, load_contracts(), files)
            for outcome in outcomes
        )
    landed = time.perf_counter()
    with progress_bar("Building", console) as progress:
        nodes = build(progress=progress).nodes
    built = time.perf_counter()
    return {
        "rows": rows,
        "land_seconds": round(landed - started, 1),
        "build_seconds": round(built - landed, 1),
        "models_and_tests": nodes,
        "slow": slow_nodes(),
    }


def slow_nodes() -> dict[str, float]:
    """Seconds of the last build's slow models and tests, the slowest first."""
    results = json.loads((PROJECT_DIR / "target" / "run_results.json").read_text())["results"]
    seconds = {
        result["unique_id"].split(".")[2]: round(result["execution_time"], 1) for result in results
    }
    slow = {name: taken for name, taken in seconds.items() if taken >= SLOW_SECONDS}
    return dict(sorted(slow.items(), key=lambda entry: -entry[1]))
