"""Measures Splink's DuckDB backend on the warehouse's identities, for comparison."""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path

import duckdb
import psycopg
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

# The warehouse's kinds of key, as blocking rules over prepared columns.
BLOCKING = (
    block_on("ssn"),
    block_on("surname_sound", "birth_date"),
    block_on("first_name", "birth_date"),
    block_on("last_name", "first_name", "birth_year"),
    block_on("substr(last_name, 1, 3)", "substr(first_name, 1, 3)", "month_day"),
    block_on("substr(first_name, 1, 2)", "surname_sound", "birth_year", "zip"),
    block_on("last_name", "first_name", "street"),
)
IDENTITIES = """
    select identity_id as unique_id, last_name, first_name, middle_name, birth_date, gender, ssn,
        street, zip, dmetaphone(last_name) as surname_sound,
        to_char(birth_date, 'YYYY') as birth_year, to_char(birth_date, 'MMDD') as month_day
    from identity.int_identities
    where record_type = %s
"""


def splink_seconds(connection: psycopg.Connection) -> float:
    """Seconds of Splink for blocking, comparing and scoring the standardized identities.

    Standardization, training and copying from the warehouse are not included.
    """
    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=list(BLOCKING),
        comparisons=[
            cl.JaroWinklerAtThresholds("last_name", [0.9]),
            cl.JaroWinklerAtThresholds("first_name", [0.9]),
            cl.ExactMatch("middle_name"),
            cl.LevenshteinAtThresholds("birth_date", [1]),
            cl.ExactMatch("gender"),
            cl.LevenshteinAtThresholds("ssn", [1]),
            cl.ExactMatch("street"),
            cl.ExactMatch("zip"),
        ],
    )
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        database.execute("set threads to 2")
        for record_type in ("student", "client"):
            file = Path(folder) / f"{record_type}.csv"
            with (
                file.open("wb") as target,
                connection.cursor() as cursor,
                cursor.copy(
                    f"copy ({IDENTITIES}) to stdout (format csv, header)", [record_type]
                ) as rows,
            ):
                for block in rows:
                    target.write(block)
            database.read_csv(str(file), all_varchar=True).create(record_type)
        api = DuckDBAPI(database)
        linker = Linker(
            [api.register(record_type) for record_type in ("student", "client")],
            settings,
            log_level=logging.ERROR,
        )
        started = time.perf_counter()
        linker.inference.predict()
        return round(time.perf_counter() - started, 1)
