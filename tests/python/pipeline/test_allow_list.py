"""Columns outside the contracts are nowhere in the database."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from outcomes.config import Settings
from outcomes.warehouse.connection import connect


def test_no_column_outside_the_contracts_is_stored(built_demo: Settings, demo_drops: Path) -> None:
    canaries: set[str] = set()
    for archive in demo_drops.glob("pittsburgh/*/*.zip"):
        with zipfile.ZipFile(archive) as opened:
            text = opened.read("STUDENT_DIRECTORY.csv").decode("cp1252")
        for row in csv.DictReader(io.StringIO(text, newline="")):
            canaries |= {row["Phone"] or "", row["GuardianName"] or ""}
    canaries.discard("")
    assert len(canaries) > 100

    with connect(built_demo) as connection:
        columns = connection.execute(
            """
            select table_schema, table_name, column_name
            from information_schema.columns
            where
                table_schema not in ('pg_catalog', 'information_schema')
                and data_type in ('text', 'character varying')
            """
        ).fetchall()
        assert len(columns) > 100
        for schema, table, column in columns:
            found = connection.execute(
                f'select count(*) from "{schema}"."{table}" where "{column}" = any(%s)'.encode(),
                [sorted(canaries)],
            ).fetchone()
            assert found == (0,), f"{schema}.{table}.{column} holds what may not be kept"
