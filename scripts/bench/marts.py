"""How long all marts take at a county's size: three years of daily attendance."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg
from rich.console import Console

from bench.database import temporary_database
from bench.pipeline import slow_nodes
from demo import names
from outcomes.cli.progress import progress_bar
from outcomes.contracts.reader import load_contracts
from outcomes.landing.ledger import record_partners
from outcomes.publishing.build import build

STUDENTS = 32_000
# Of `names.RACE_GROUPS`.
NAME_GROUP_SHARES = (0.5, 0.42, 0.04, 0.04)


def fill(connection: psycopg.Connection, students: int = STUDENTS) -> int:
    """Write three school years directly into raw; other modules measure landing and linking.

    Returns:
        Rows of attendance.
    """
    record_partners(connection, load_contracts().values())
    script = Path(__file__).with_suffix(".sql").read_text()
    with connection.transaction():
        _write_people(connection, students * 15 // 13)
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), {"students": students})
    # Otherwise autovacuum would start during the build. In a real warehouse it is done by then.
    connection.execute("vacuum (analyze)")
    [(rows,)] = connection.execute("select count(*) from raw.attendance_events").fetchall()
    return int(rows)


def _write_people(connection: psycopg.Connection, number: int) -> None:
    """Write names and addresses, two children a family, into a temporary table.

    They are drawn like the demo's: the number of pairs to compare depends on the frequencies of
    names and ZIP codes, of which few are common and many are rare.
    """
    chance = np.random.default_rng(7)
    family = np.arange(number) // 2
    families = family[-1] + 1
    group = chance.choice(len(names.RACE_GROUPS), families, p=NAME_GROUP_SHARES)
    places = names.seed_list("places").sample(families, with_replacement=True, seed=7)
    is_female = chance.random(number) < 0.5
    people = pl.DataFrame(
        {
            "n": np.arange(number),
            "last_name": names.draw_surnames(group, chance)[family],
            "first_name": names.draw_first_names(
                group[family], is_female, np.full(number, True), chance
            ),
            "sex": np.where(is_female, "F", "M"),
            "street": names.draw_streets(families, chance)[family],
            "city": places["city"].to_numpy()[family],
            "zip": places["zip"].to_numpy()[family],
        }
    )
    connection.execute(
        "create temporary table bench_people (n integer, last_name text, first_name text, "
        "sex text, street text, city text, zip text)"
    )
    with (
        connection.cursor() as cursor,
        cursor.copy("copy bench_people from stdin (format csv)") as copy,
    ):
        copy.write(people.write_csv(include_header=False))


def measure(console: Console, students: int = STUDENTS) -> dict[str, Any]:
    """Build and test everything on a county's school years.

    Returns:
        Rows of attendance, elapsed seconds, the load of the machine, and the seconds of slow
        models and tests.
    """
    with temporary_database() as connection:
        with console.status("Inventing three school years"):
            rows = fill(connection, students)
        started = time.perf_counter()
        with progress_bar("Building", console) as progress:
            nodes = build(progress=progress).nodes
        seconds = time.perf_counter() - started
    return {
        "rows": rows,
        "build_seconds": round(seconds, 1),
        "load_average": round(os.getloadavg()[0], 1),
        "models_and_tests": nodes,
        "slow": slow_nodes(),
    }
