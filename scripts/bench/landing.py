"""How fast rows land, including archive, reading, validation, COPY and commit."""

from __future__ import annotations

import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from bench.database import temporary_database
from outcomes.contracts.reader import load_contracts
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries

ROWS = 1_500_000


def measure(rows: int = ROWS) -> dict[str, Any]:
    """Land a quote-free and a quoted file of `rows` rows each in a database of its own.

    Returns:
        For each case: rows, seconds and rows per second, for JSON.
    """
    cases = {
        "quote_free": ("woodland_hills/2012-10-05/103029902_ATTENDANCE_201210051933.txt", _plain),
        "quoted": ("interventions/2012-10-05/roster.csv", _quoted),
    }
    results: dict[str, Any] = {}
    for name, (file, make) in cases.items():
        with tempfile.TemporaryDirectory() as folder, temporary_database() as connection:
            path = Path(folder) / file
            path.parent.mkdir(parents=True)
            make(path, rows)
            archive = Archive(Path(folder) / "archive", Path(folder) / "keys")
            results[name] = {"megabytes": round(path.stat().st_size / 1e6, 1)} | _land(
                connection, path, archive
            )
    return results


def _land(connection: psycopg.Connection, path: Path, archive: Archive) -> dict[str, Any]:
    contracts = load_contracts()
    started = time.perf_counter()
    landed = 0
    files = archive.keep_all(contracts, find_deliveries(path, contracts).files)
    for _, outcomes in land_deliveries(connection, contracts, files):
        landed += sum(outcome.counts.rows_loaded for outcome in outcomes)
    seconds = time.perf_counter() - started
    return {"rows": landed, "seconds": round(seconds, 2), "rows_per_second": int(landed / seconds)}


def _plain(path: Path, rows: int) -> None:
    """Positive attendance: pipe-delimited, no header, no quote."""
    frame = pl.select(pl.int_range(rows).alias("n")).with_columns(
        pl.lit("103029902").alias("aun"),
        (pl.lit("01") + (pl.col("n") % 7 + 10).cast(pl.String)).alias("school"),
        (pl.col("n") // 180 + 1_000_000_000).cast(pl.String).alias("student"),
        (pl.lit(date(2012, 8, 27)) + pl.duration(days=pl.col("n") % 180)).alias("day"),
        pl.when(pl.col("n") % 15 == 0).then(pl.lit("A")).otherwise(pl.lit("P")).alias("status"),
        pl.when(pl.col("n") % 15 == 0).then(pl.lit("N")).alias("excused"),
    )
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        frame.drop("n").write_csv(file, include_header=False, separator="|", quote_style="never")


def _quoted(path: Path, rows: int) -> None:
    """A roster with a quoted name in every row."""
    frame = pl.select(pl.int_range(rows).alias("n")).select(
        pl.lit("MEN").alias("intervention_code"),
        pl.lit('Mentoring, "check" and connect').alias("intervention_name"),
        pl.lit("pittsburgh").alias("district_id"),
        (pl.col("n") + 100_000_000).cast(pl.String).alias("district_student_id"),
        (pl.lit(date(2012, 8, 27)) + pl.duration(days=pl.col("n") % 30)).alias("started_on"),
        pl.lit(None, dtype=pl.Date).alias("ended_on"),
    )
    frame.write_csv(path)
