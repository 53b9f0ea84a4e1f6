"""The sample deliveries land completely, in any order."""

from __future__ import annotations

import random

import psycopg
import pyarrow.parquet as parquet
from tests.python.conftest import SAMPLE

from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.feeds import raw_feeds
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect


def content(connection: psycopg.Connection) -> dict[str, str]:
    """A hash of every table, without columns that depend on the order of landing."""
    hashes = {}
    for feed in raw_feeds():
        row = connection.execute(
            f"""
            select md5(string_agg(line, '' order by line collate "C"))
            from (
                select (to_jsonb(r) - 'load_id')::text || f.file_name as line
                from raw.{feed} as r
                inner join landing.files as f on r.load_id = f.file_id
            ) as lines
            """  # type: ignore[arg-type]
        ).fetchone()
        assert row is not None
        hashes[feed] = row[0]
    return hashes


def test_the_sample_lands_completely(built_sample: Settings) -> None:
    truth = parquet.read_table(SAMPLE / "truth" / "deliveries.parquet").to_pylist()
    delivered = {
        (row["file"].split("/", 2)[2] + (f"/{row['member']}" if row["member"] else ""),
         row["partner"], row["delivery"], "loaded"): row["rows"]
        for row in truth
    }  # fmt: skip
    with connect(built_sample) as connection:
        landed = connection.execute(
            "select file_name, partner_id, as_of_date::text, status, rows_loaded + rows_rejected"
            " from landing.files"
        ).fetchall()
        assert connection.execute("select from landing.rejected_rows").fetchall() == []
    assert {tuple(file): rows for *file, rows in landed} == delivered


def test_the_sample_lands_in_any_order(
    built_sample: Settings, connection: psycopg.Connection
) -> None:
    contracts = load_contracts()
    files = find_deliveries(SAMPLE / "drops", contracts).files
    random.Random(7).shuffle(files)
    for _, outcomes in land_deliveries(connection, contracts, files):
        assert {outcome.status for outcome in outcomes} <= {"loaded"}
    with connect(built_sample) as in_order:
        assert content(connection) == content(in_order)
