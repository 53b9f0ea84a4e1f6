"""Creates what landing writes to: the ledger and the canonical raw tables."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import LiteralString, cast

import psycopg
import yaml
from psycopg import sql

from outcomes.config import RAW_SOURCES_FILE


@cache
def raw_feeds() -> dict[str, dict[str, str]]:
    """The canonical feeds: feed → column → PostgreSQL type, in the order of the table.

    Read from `models/sources/raw.yml`, their one definition.
    """
    sources = yaml.safe_load(RAW_SOURCES_FILE.read_text(encoding="utf-8"))
    tables = sources["sources"][0]["tables"]
    return {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in tables
    }


def create_tables(connection: psycopg.Connection) -> None:
    """Create the ledger and the raw tables where they are missing, in one transaction."""
    ledger = resources.files("outcomes.warehouse").joinpath("ledger.sql").read_text("utf-8")
    with connection.transaction():
        # Two sessions that both find a table missing would otherwise collide.
        connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.create_tables'))")
        connection.execute(cast(LiteralString, ledger))
        for feed, columns in raw_feeds().items():
            table = sql.Identifier("raw", feed)
            definitions = sql.SQL(", ").join(
                sql.SQL("{} {}").format(
                    sql.Identifier(name), sql.SQL(cast(LiteralString, data_type))
                )
                for name, data_type in columns.items()
            )
            connection.execute(
                sql.SQL("create table if not exists {} ({})").format(table, definitions)
            )
            # Rows are appended load by load, so a block range index finds a load as well as
            # a tree would, and costs COPY next to nothing.
            connection.execute(
                sql.SQL("create index if not exists {} on {} using brin (load_id)").format(
                    sql.Identifier(f"{feed}_load"), table
                )
            )
