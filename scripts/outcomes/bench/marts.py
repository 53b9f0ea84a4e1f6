"""How long all marts take at a county's size: three years of daily attendance."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from outcomes.bench.database import temporary_database
from outcomes.contracts.reader import load_contracts
from outcomes.landing.ledger import record_partners
from outcomes.warehouse.build import build

STUDENTS = 32_000


def fill(connection: psycopg.Connection, students: int = STUDENTS) -> int:
    """Write three school years straight into raw; linking and landing are measured elsewhere.

    Returns:
        Rows of attendance.
    """
    record_partners(connection, load_contracts().values())
    script = Path(__file__).with_suffix(".sql").read_text()
    with connection.transaction():
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), {"students": students})
    [(rows,)] = connection.execute("select count(*) from raw.attendance_events").fetchall()
    return int(rows)


def measure(console: Console, students: int = STUDENTS) -> dict[str, Any]:
    """Build and test everything on a county's school years.

    Returns:
        Rows of attendance, seconds by the clock, and how busy the machine was meanwhile.
    """
    with temporary_database() as connection:
        with console.status("Inventing three school years"):
            rows = fill(connection, students)
        started = time.perf_counter()
        nodes = build(console).nodes
        seconds = time.perf_counter() - started
    return {
        "rows": rows,
        "build_seconds": round(seconds, 1),
        "load_average": round(os.getloadavg()[0], 1),
        "models_and_tests": nodes,
    }
