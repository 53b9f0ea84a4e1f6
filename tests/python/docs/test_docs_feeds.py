"""What a contract can bind is read: a column that no model reads would be lost in silence."""

from __future__ import annotations

import re

import pytest

from outcomes.config import PROJECT_DIR
from outcomes.warehouse.tables import raw_feeds

LOAD_COLUMNS = {"partner_id", "load_id", "line_number", "as_of_date", "origin_file_id"}


def _sql(folder: str) -> list[str]:
    """Every model or macro, without its comments."""
    files = (PROJECT_DIR / folder).rglob("*.sql")
    return [re.sub(r"--.*|/\*.*?\*/", "", file.read_text("utf-8"), flags=0) for file in files]


@pytest.mark.parametrize("feed", raw_feeds())
def test_every_column_that_can_be_bound_is_read(feed: str) -> None:
    source = re.compile(rf"source\('raw', '{feed}'\)")
    readers = [sql for sql in _sql("models/staging") if source.search(sql)]
    # How a record is made a key is written in macros.
    words = set(re.findall(r"\w+", " ".join([*readers, *_sql("macros")])))
    assert set(raw_feeds()[feed]) - LOAD_COLUMNS <= words
