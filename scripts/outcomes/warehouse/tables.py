"""Creates and upgrades the ledger, the raw tables, and the functions of publishing."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import psycopg
import yaml
from psycopg import sql

from outcomes.config import RAW_SOURCES_FILE, load_settings
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
def _raw_tables() -> Any:
    sources = yaml.safe_load(RAW_SOURCES_FILE.read_text(encoding="utf-8"))
    return sources["sources"][0]["tables"]


# Changes of type that keep all data; every type may also become text.
_WIDER = {
    ("integer", "bigint"),
    ("integer", "numeric"),
    ("bigint", "numeric"),
    ("date", "timestamp without time zone"),
}

SCRIPTS = ("ledger.sql", "releases.sql", "runs.sql", "publishing.sql", "disclosures.sql")

# (table, column) → type, for raw and the ledger
Columns = dict[tuple[str, str], str]


def create_tables(connection: psycopg.Connection, *, dry_run: bool = False) -> list[str]:
    """Create or upgrade the tables and replace the functions, in one transaction.

    `landing.upgrades` records the changes of an existing warehouse. A login that does not own
    the tables, such as the loader's, only checks them.

    Returns:
        The changes, in words; a dry run rolls them back.

    Raises:
        OutcomesError: the tables differ, and the login does not own them; or a column would
            become narrower, or a view reads one that changes. Nothing has changed then.
    """
    if not _may_create(connection):
        _require_tables(connection)
        return []
    scripts = resources.files("outcomes.warehouse")
    with connection.transaction(force_rollback=dry_run):
        # Otherwise two sessions could create the same table.
        connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.create_tables'))")
        before = _columns(connection)
        raw = _raw_statements(connection, before)
        for script in SCRIPTS:
            connection.execute(scripts.joinpath(script).read_bytes())
        _create_pseudonym_key(connection)
        try:
            for statement in raw.values():
                connection.execute(statement.encode())
        except psycopg.errors.FeatureNotSupported as error:
            # A view reads the column.
            raise OutcomesError(
                f"Nothing was changed: {error.diag.message_primary}, "
                f"{error.diag.message_detail}. Drop the view, then upgrade."
            ) from None
        for feed in raw_feeds():
            # Rows are appended load by load, so a block range index finds a load as well as a
            # B-tree, and hardly slows COPY.
            connection.execute(
                f"create index if not exists {feed}_load on raw.{feed} "
                "using brin (load_id)".encode()
            )
        # Finds the few clients with several versions without a sort of all.
        connection.execute(
            "create index if not exists clients_key on raw.clients (source_id, source_client_id)"
        )
        connection.execute("drop index if exists raw.clients_client")
        changes = _differences(before, _columns(connection)) + _drop_row_counts(connection)
        if load_settings().is_distributed:
            changes += _distribute(connection)
        if before:
            connection.cursor().executemany(
                "insert into landing.upgrades (change) values (%s)",
                [[change] for change in changes],
            )
    return changes


def _drop_row_counts(connection: psycopg.Connection) -> list[str]:
    """Drop the row counts of `publications`, which told readers about relations of others.

    Returns:
        The changes, in words.
    """
    found = connection.execute(
        """
        select schema_name
        from (select distinct schema_name from landing.run_relations) as published
        inner join pg_attribute
            on attrelid = to_regclass(format('%I.publications', schema_name))
            and attname = 'row_count'
        order by 1
        """
    ).fetchall()
    for (schema,) in found:
        table = sql.Identifier(schema, "publications")
        try:
            connection.execute(sql.SQL("alter table {} drop column row_count").format(table))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise OutcomesError(
                f"Nothing was changed: {error.diag.message_primary}, "
                f"{error.diag.message_detail}. Drop the view, then upgrade."
            ) from None
    return [f"{schema}.publications.row_count is dropped" for (schema,) in found]


def _distribute(connection: psycopg.Connection) -> list[str]:
    """Spread the large tables of raw over the nodes of a Citus cluster (docs/distributed.md).

    Returns:
        What was spread, in words; a table that has its place keeps it.

    Raises:
        OutcomesError: the database has no Citus.
    """
    [(is_cluster,)] = connection.execute(
        "select exists (select from pg_extension where extname = 'citus')"
    ).fetchall()
    if not is_cluster:
        raise OutcomesError(
            "OUTCOMES_DISTRIBUTED is set, but the database has no Citus: run `create extension "
            "citus` on each node (docs/distributed.md), or unset it."
        )
    # dbt makes a table, fills it and gives it its name in one transaction. With the defaults
    # Citus refuses that to tables of the whole cluster. Readers keep the defaults, which read
    # copies on the coordinator without a connection.
    for setting, value in (
        ("citus.multi_shard_modify_mode", "sequential"),
        ("citus.enable_local_execution", "off"),
    ):
        connection.execute(f"set local {setting} to {value}".encode())
        connection.execute(
            sql.SQL("alter role current_user in database {} set {} to {}").format(
                sql.Identifier(connection.info.dbname), sql.SQL(setting), sql.Literal(value)
            )
        )
    spread = {
        row[0] for row in connection.execute("select logicalrelid::text from pg_dist_partition")
    }
    changes = []
    for table in _raw_tables():
        name = f"raw.{table['name']}"
        column = table.get("config", {}).get("meta", {}).get("distribution")
        if column and name not in spread:
            connection.execute("select create_distributed_table(%s, %s)", [name, column])
            connection.execute(
                "select truncate_local_data_after_distributing_table(%s::regclass)", [name]
            )
            changes.append(f"{name} is spread over the cluster by {column}")
    return changes


def unread_columns(connection: psycopg.Connection) -> list[str]:
    """The columns of raw that `raw.yml` no longer has; their data stay but are not read."""
    known = {(f"raw.{feed}", name) for feed, columns in raw_feeds().items() for name in columns}
    return [
        f"{table}.{name}"
        for table, name in _columns(connection)
        if table.startswith("raw.") and (table, name) not in known
    ]


def _columns(connection: psycopg.Connection) -> Columns:
    rows = connection.execute(
        """
        select
            nspname || '.' || relname,
            attname::text,
            format_type(atttypid, atttypmod)
        from pg_attribute
        inner join pg_class on attrelid = pg_class.oid
        inner join pg_namespace on relnamespace = pg_namespace.oid
        where
            nspname in ('raw', 'landing', 'releases')
            and relkind = 'r' and attnum > 0 and not attisdropped
        order by 1, attnum
        """
    )
    return {(table, name): type_ for table, name, type_ in rows}


def _raw_statements(connection: psycopg.Connection, before: Columns) -> dict[str, str]:
    """The statements that create or upgrade the tables of raw, by table.

    Raises:
        OutcomesError: a column would become narrower.
    """
    there = {table for table, _ in before}
    types = {type_ for columns in raw_feeds().values() for type_ in columns.values()}
    spelled = connection.execute(
        "select type, to_regtype(type)::text from unnest(%s::text []) as type", [list(types)]
    )
    called: dict[str, str] = dict(spelled.fetchall())
    statements, too_narrow = {}, []
    for feed, columns in raw_feeds().items():
        table = f"raw.{feed}"
        if table not in there:
            definitions = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
            statements[table] = f"create table {table} ({definitions})"
            continue
        actions = []
        for name, type_ in columns.items():
            found, wanted = before.get((table, name)), called[type_]
            if found is None:
                actions.append(f"add column {name} {type_}")
            elif found != wanted:
                # numeric(5, 2) may become numeric.
                if wanted in ("text", found.split("(")[0]) or (found, wanted) in _WIDER:
                    actions.append(f"alter column {name} type {type_}")
                else:
                    too_narrow.append(f"{table}.{name} is {found}, and raw.yml says {type_}")
        if actions:
            statements[table] = f"alter table {table} {', '.join(actions)}"
    if too_narrow:
        raise OutcomesError(
            f"The warehouse cannot be upgraded: {'; '.join(too_narrow)}. Not every value would "
            "fit. Nothing was changed. Give the column its old type or another name in raw.yml."
        )
    return statements


def _differences(before: Columns, after: Columns) -> list[str]:
    """The changes, in words."""
    tables_before = {table for table, _ in before}
    changes = []
    for table, name in before | after:
        was, now = before.get((table, name)), after.get((table, name))
        if table not in tables_before:
            changes.append(f"{table} is new")
        elif was is None:
            changes.append(f"{table}.{name} is new: {now}")
        elif now is None:
            changes.append(f"{table}.{name} is dropped")
        elif was != now:
            changes.append(f"{table}.{name} was {was}, is {now}")
    return list(dict.fromkeys(changes))


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
    rows = connection.execute(
        "select name from unnest(%s::text []) as name where to_regclass(name) is null", [tables]
    )
    missing = [name for (name,) in rows]
    missing += _raw_statements(connection, _columns(connection))
    if missing:
        raise OutcomesError(
            f"{', '.join(missing)}: missing, or of another release, and {connection.info.user} may "
            "not change that: run `outcomes access apply` as the owner of the database."
        )


def _create_pseudonym_key(connection: psycopg.Connection) -> None:
    """Generate the key of the pseudonyms, used until the environment sets one."""
    connection.execute(
        "update landing.pseudonym_key set key = %s where key is null and not is_in_environment",
        [secrets.token_bytes(32)],
    )
