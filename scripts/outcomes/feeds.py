"""The canonical feeds, which contracts fill and raw stores: `models/sources/raw.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from outcomes.config import RAW_SOURCES_FILE


@cache
def raw_feeds() -> dict[str, dict[str, str]]:
    """The canonical feeds: feed → column → PostgreSQL type, in the order of the table."""
    return {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in _raw_tables()
    }


@dataclass(frozen=True)
class ColumnRule:
    """What the models require of a column of a feed."""

    required: bool = False
    # Required, unless that column is.
    required_without: str | None = None
    minimum: float | None = None
    maximum: float | None = None


@cache
def raw_rules() -> dict[str, dict[str, ColumnRule]]:
    """The rules of the canonical feeds that no contract may weaken: feed → column → rule."""
    return {
        table["name"]: {
            column["name"]: ColumnRule(**column["config"]["meta"])
            for column in table["columns"]
            if "config" in column
        }
        for table in _raw_tables()
    }


@cache
def allowed_snapshots() -> dict[str, list[str]]:
    """The kinds of snapshot that the models can read of a feed: feed → kinds."""
    return {table["name"]: table["config"]["meta"]["snapshots"] for table in _raw_tables()}


@cache
def distributed_by() -> dict[str, str]:
    """The feeds that a cluster spreads over its nodes: feed → column (docs/distributed.md)."""
    columns = {
        table["name"]: table["config"]["meta"].get("distribution") for table in _raw_tables()
    }
    return {feed: column for feed, column in columns.items() if column}


@cache
def _raw_tables() -> Any:
    sources = yaml.safe_load(RAW_SOURCES_FILE.read_text(encoding="utf-8"))
    return sources["sources"][0]["tables"]
