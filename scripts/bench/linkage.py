"""How long linking takes: for a whole county, then for a week's changes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from psycopg import sql
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.county import County
from bench.database import temporary_database
from bench.splink_comparison import splink_seconds
from outcomes.cli.progress import progress_bar
from outcomes.config import PROJECT_DIR, load_settings
from outcomes.errors import OutcomesError
from outcomes.publishing.build import build, dbt_environment

STUDENTS = 32_000
# To show the growth.
CLIENT_RECORDS = (1_000_000, 4_000_000, 15_000_000)
# From the raw records to the crosswalk.
LINKING = "+person_crosswalk"


@dataclass
class _Peak:
    gibibytes: float = 0.0


def measure(
    console: Console,
    students: int = STUDENTS,
    client_records: tuple[int, ...] = CLIENT_RECORDS,
) -> dict[str, Any]:
    """Link an invented county from nothing, then a week's changes, for each size.

    Returns:
        For each number of client records: the seconds of the full and of the incremental run,
        from dbt's start to its end and, for the incremental run, also from the first model to
        the last; the peak memory of the database's processes; the numbers of identities and
        pairs; the seconds of Splink for the same identities; and the seconds of a build of
        everything else, with tests and the first publication.
    """
    return {f"{clients:,} records": _measure(console, students, clients)
            for clients in client_records}  # fmt: skip


def _measure(console: Console, students: int, clients: int) -> dict[str, Any]:
    with temporary_database() as connection:
        county = County(connection, students, clients)
        progress = Progress(
            TextColumn("Writing client records"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        with progress:
            task = progress.add_task("", total=clients)
            county.deliver(lambda records: progress.update(task, advance=records))
        connection.execute("vacuum analyze raw.clients")
        # Seeds and functions are not part of the measurement.
        _dbt("seed")
        _dbt("build", "--select", "resource_type:function")
        with console.status(f"Linking {clients:,} client records"), _peak_memory() as peak:
            full, _ = _dbt("run", "--select", LINKING)
        with console.status(f"The same identities with Splink, of {clients:,}"):
            splink = splink_seconds(connection)
        county.deliver_changes()
        # In a real week autovacuum would do this.
        connection.execute("vacuum analyze")
        with console.status("Linking a week's changes"), _peak_memory() as weekly_peak:
            weekly, weekly_models = _dbt("run", "--select", LINKING)
        started = time.perf_counter()
        with progress_bar("Building", console) as show:
            build(progress=show)
        built = time.perf_counter() - started
        return {
            "students": _count(connection, "int_identity_persons"),
            "client_records": clients,
            "identities": _count(connection, "int_identities"),
            "pairs": _count(connection, "int_identity_pairs"),
            "full_seconds": full,
            "full_peak_gib": round(peak.gibibytes, 2),
            "splink_seconds": splink,
            "weekly_seconds": weekly,
            "weekly_seconds_in_models": weekly_models,
            "weekly_peak_gib": round(weekly_peak.gibibytes, 2),
            "build_seconds": round(built, 1),
        }


def _count(connection: psycopg.Connection, table: str) -> int:
    query = sql.SQL("select count(*) from identity.{}").format(sql.Identifier(table))
    [(rows,)] = connection.execute(query).fetchall()
    return int(rows)


def _dbt(*arguments: str) -> tuple[float, float]:
    """Seconds of dbt including its start, and from the first model to the last."""
    folders = ("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR))
    started = time.perf_counter()
    with dbt_environment(load_settings()):
        outcome = dbtRunner().invoke(["--quiet", *arguments, "--target", "prod", *folders])
    seconds = time.perf_counter() - started
    if not outcome.success or not isinstance(outcome.result, RunExecutionResult):
        raise OutcomesError("dbt failed; logs/dbt.log says where.")
    moments = [
        moment for node in outcome.result.results for timing in node.timing
        for moment in (timing.started_at, timing.completed_at) if moment is not None
    ]  # fmt: skip
    return round(seconds, 1), round((max(moments) - min(moments)).total_seconds(), 1)


@contextmanager
def _peak_memory() -> Iterator[_Peak]:
    """Peak memory of PostgreSQL's processes; shared pages count once."""
    peak, done = _Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            peak.gibibytes = max(peak.gibibytes, _server_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _server_memory() -> float:
    kibibytes = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            port = os.environ.get("OUTCOMES_PG_PORT", "54329")
            is_ours = (process / "comm").read_text().strip() == "postgres"
            if is_ours and _of_port(process, port):
                kibibytes += next(
                    int(line.split()[1])
                    for line in (process / "smaps_rollup").read_text().splitlines()
                    if line.startswith("Pss:")
                )
        except (OSError, StopIteration):
            continue
    return kibibytes / 2**20


def _of_port(process: Path, port: str) -> bool:
    """Whether a process is the server on the port, or its child."""
    parent = (process / "stat").read_text().rsplit(")", 1)[1].split()[1]
    lines = [(process / "cmdline").read_text()]
    lines.append((Path("/proc") / parent / "cmdline").read_text())
    return any(f"-p\0{port}\0" in line for line in lines)
