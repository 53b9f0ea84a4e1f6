"""Creates what landing and publishing need: the ledger, the raw tables, the functions."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import psycopg
import yaml

from outcomes.config import RAW_SOURCES_FILE
from outcomes.errors import OutcomesError


@cache
def raw_feeds() -> dict[str, dict[str, str]]:
    """The canonical feeds: feed → column → PostgreSQL type, in the order of the table.

    Read from `models/sources/raw.yml`, their one definition.
    """
    return {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in _raw_tables()
    }


@dataclass(frozen=True)
class ColumnRule:
    """What the models count on in a column of a feed."""

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
def _raw_tables() -> Any:
    sources = yaml.safe_load(RAW_SOURCES_FILE.read_text(encoding="utf-8"))
    return sources["sources"][0]["tables"]


def create_tables(connection: psycopg.Connection) -> None:
    """Create what is missing and renew the functions, in one transaction.

    A login that does not own them, such as the loader's, only finds out that they are there.

    Raises:
        OutcomesError: it does not own them, and one is missing.
    """
    if not _may_create(connection):
        _require_tables(connection)
        return
    scripts = resources.files("outcomes.warehouse")
    with connection.transaction():
        # Two sessions that both find a table missing would otherwise collide.
        connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.create_tables'))")
        for script in ("ledger.sql", "runs.sql", "publishing.sql", "disclosures.sql"):
            connection.execute(scripts.joinpath(script).read_bytes())
        _create_pseudonym_key(connection)
        for feed, columns in raw_feeds().items():
            definitions = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
            connection.execute(f"create table if not exists raw.{feed} ({definitions})".encode())
            # Rows are appended load by load, so a block range index finds a load as well as
            # a tree would, and costs COPY next to nothing.
            connection.execute(
                f"create index if not exists {feed}_load on raw.{feed} "
                "using brin (load_id)".encode()
            )
        # Linking looks up every version of the few clients that a week changes: the
        # expression is that of the macro `client_hash`.
        connection.execute(
            "create index if not exists clients_client on raw.clients "
            "(hashtextextended(source_client_id, hashtextextended(source_id, 0)))"
        )


def _may_create(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        """
        select coalesce(
            (select pg_has_role(nspowner, 'usage') from pg_namespace where nspname = 'landing'),
            has_database_privilege(current_database(), 'create')
        )
        """
    ).fetchone()
    return bool(row and row[0])


def _require_tables(connection: psycopg.Connection) -> None:
    ledger = resources.files("outcomes.warehouse").joinpath("ledger.sql").read_text("utf-8")
    tables = re.findall(r"create table if not exists (landing\.\w+)", ledger)
    tables += [f"raw.{feed}" for feed in raw_feeds()]
    missing = connection.execute(
        "select name from unnest(%s::text []) as name where to_regclass(name) is null", [tables]
    ).fetchall()
    if missing:
        raise OutcomesError(
            f"{', '.join(name for (name,) in missing)} is missing, and {connection.info.user} may "
            "not create it: run `outcomes access apply` as the owner of the database."
        )


def _create_pseudonym_key(connection: psycopg.Connection) -> None:
    """Make the key that the pseudonyms have until the environment gives one."""
    connection.execute(
        "update landing.pseudonym_key set key = %s where key is null and not is_in_environment",
        [secrets.token_bytes(32)],
    )
