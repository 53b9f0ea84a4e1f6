"""The sample deliveries land completely."""

from __future__ import annotations

import pyarrow.parquet as parquet
from tests.python.conftest import SAMPLE

from outcomes.config import Settings
from outcomes.warehouse.connection import connect


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
