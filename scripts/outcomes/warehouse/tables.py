"""Creates and upgrades the raw tables, by raw.yml, and with them the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from outcomes.config import load_settings
from outcomes.errors import OutcomesError
from outcomes.feeds import distributed_by, raw_feeds
from outcomes.queries import query
from outcomes.warehouse.migrations import (
    LEDGER_SCHEMAS,
    apply_migrations,
    be_alone,
    is_behind,
    replace_functions,
)

# Changes of type that keep all data; every type may also become text.
_WIDER = {
    ("integer", "bigint"),
    ("integer", "numeric"),
    ("bigint", "numeric"),
    ("date", "timestamp without time zone"),
}

# (table, column) → type, for raw and the ledger
Columns = dict[tuple[str, str], str]


def create_tables(connection: psycopg.Connection) -> None:
    """Create the ledger and the raw tables in an empty database; any other must have them.

    Raises:
        OutcomesError: the warehouse is of another release, or the login may not create it.
    """
    _require_extension(connection)
    if is_empty(connection):
        _require_owner(connection)
        # In one transaction: a part of a warehouse would be one of an earlier release.
        with connection.transaction():
            _apply(connection)
    require_release(connection)


def require_release(connection: psycopg.Connection) -> None:
    """Check that the warehouse is of this release; only `outcomes warehouse upgrade` changes it.

    Raises:
        OutcomesError: it is of another one, or there is none.
    """
    name = connection.info.dbname
    if is_empty(connection):
        raise OutcomesError(
            f"The database {name} is not a warehouse yet: land a first delivery with `outcomes "
            "land`, or name another database in OUTCOMES_PG_DATABASE."
        )
    if is_behind(connection) or _raw_statements(connection) or _undistributed(connection):
        raise OutcomesError(
            f"The warehouse {name} is of an earlier release: run `outcomes warehouse upgrade` as "
            "its owner. docs/operations.md has all steps of an update."
        )


def _is_distributed(connection: psycopg.Connection) -> bool:
    """Whether the tables are to be distributed; a temporary warehouse is on a server of its own."""
    settings, info = load_settings(), connection.info
    is_configured = (info.host, info.port) == (settings.host, settings.port)
    return settings.is_distributed and is_configured


def is_empty(connection: psycopg.Connection) -> bool:
    """Whether the database has no ledger."""
    return connection.execute("select to_regclass('landing.files')").fetchone() == (None,)


def drop_tables(connection: psycopg.Connection) -> None:
    """Drop the tables of raw and the ledger."""
    for (table,) in connection.execute(
        "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = any(%s)",
        [["raw", *LEDGER_SCHEMAS]],
    ).fetchall():
        connection.execute(f"drop table {table} cascade".encode())


def upgrade(connection: psycopg.Connection, *, dry_run: bool = False) -> list[str]:
    """Bring a warehouse to this release; a new one is created.

    `warehouse.upgrades` keeps the changes.

    Returns:
        The changes, in words; a dry run rolls them back.

    Raises:
        OutcomesError: the warehouse is of a later release, the login does not own it, a build
            is running, or a column would become narrower. Migrations that ran before stay.
    """
    _require_extension(connection)
    is_behind(connection)
    _require_owner(connection)
    if not dry_run:
        _require_no_build(connection)
    in_one = connection.transaction(force_rollback=True) if dry_run else nullcontext()
    with in_one:
        return _apply(connection)


def _apply(connection: psycopg.Connection) -> list[str]:
    with _acting_as_owner(connection):
        return _apply_as_owner(connection)


def _apply_as_owner(connection: psycopg.Connection) -> list[str]:
    before, tables = _columns(connection), _tables(connection)
    _raw_statements(connection)  # refuses what cannot be done before anything is done
    changes = apply_migrations(connection)
    with connection.transaction():
        be_alone(connection)
        _change_raw(connection)
        names = {tables[oid]: name for oid, name in _tables(connection).items() if oid in tables}
        changes += _differences(before, _columns(connection), names)
        changes += replace_functions(connection)
        _create_pseudonym_key(connection)
        if _is_distributed(connection):
            changes += _distribute(connection)
        if before:
            connection.cursor().executemany(
                "insert into warehouse.upgrades (change) values (%s)",
                [[change] for change in changes],
            )
    return changes


def _change_raw(connection: psycopg.Connection) -> None:
    """Create or change the tables of raw as raw.yml says."""
    for table, statement in _raw_statements(connection).items():
        if " type " in statement:
            _drop_views_of_raw(connection, table)
        try:
            connection.execute(statement.encode())
        except psycopg.errors.FeatureNotSupported as error:
            # A view reads the column.
            raise OutcomesError(
                f"The tables of raw were not changed: {error.diag.message_primary}, "
                f"{error.diag.message_detail}. Drop the view, then upgrade."
            ) from None
    for feed in raw_feeds():
        # Rows are appended load by load, so a block range index finds a load as well as a
        # B-tree, and hardly slows COPY.
        connection.execute(
            f"create index if not exists {feed}_load on raw.{feed} using brin (load_id)".encode()
        )
    # Finds the few clients with several versions without a sort of all.
    connection.execute(
        "create index if not exists clients_key on raw.clients (source_id, source_client_id)"
    )


def _drop_views_of_raw(connection: psycopg.Connection, table: str) -> None:
    """Drop what would keep a column's type as it is; the next build makes it again."""
    views = connection.execute(
        query("outcomes.warehouse", "views_of_raw"),
        [table],
    ).fetchall()
    for (view,) in views:
        connection.execute(f"drop view if exists {view} cascade".encode())


def _undistributed(connection: psycopg.Connection) -> dict[str, str]:
    """The tables of raw that still have to be distributed over the cluster: table → column.

    Raises:
        OutcomesError: the database has no Citus.
    """
    if not _is_distributed(connection):
        return {}
    [(is_cluster,)] = connection.execute(
        "select exists (select from pg_extension where extname = 'citus')"
    ).fetchall()
    if not is_cluster:
        raise OutcomesError(
            "OUTCOMES_DISTRIBUTED is set, but the database has no Citus: run `create extension "
            "citus` on each node (docs/distributed.md), or unset it."
        )
    distributed = {
        row[0] for row in connection.execute("select logicalrelid::text from pg_dist_partition")
    }
    wanted = {f"raw.{feed}": column for feed, column in distributed_by().items()}
    return {name: column for name, column in wanted.items() if name not in distributed}


def _distribute(connection: psycopg.Connection) -> list[str]:
    """Distribute the large tables of raw over the nodes of a Citus cluster (docs/distributed.md).

    Returns:
        What was distributed, in words; a table that has its place keeps it.
    """
    undistributed = _undistributed(connection)
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
    for name, column in undistributed.items():
        connection.execute("select create_distributed_table(%s, %s)", [name, column])
        connection.execute(
            "select truncate_local_data_after_distributing_table(%s::regclass)", [name]
        )
    return [
        f"{name} is distributed over the cluster by {column}"
        for name, column in undistributed.items()
    ]


def unread_columns(connection: psycopg.Connection) -> list[str]:
    """The columns of raw that `raw.yml` no longer has; their data stay but are not read."""
    known = {(f"raw.{feed}", name) for feed, columns in raw_feeds().items() for name in columns}
    return [
        f"{table}.{name}"
        for table, name in _columns(connection)
        if table.startswith("raw.") and (table, name) not in known
    ]


def _columns(connection: psycopg.Connection) -> Columns:
    rows = connection.execute(query("outcomes.warehouse", "columns"), [["raw", *LEDGER_SCHEMAS]])
    return {(table, name): type_ for table, name, type_ in rows}


def _tables(connection: psycopg.Connection) -> dict[int, str]:
    """The tables of the ledger by their id, which stays when a table moves."""
    rows = connection.execute(
        "select oid, relnamespace::regnamespace || '.' || relname from pg_class "
        "where relkind = 'r' and relnamespace::regnamespace::text = any(%s) order by 2",
        [list(LEDGER_SCHEMAS)],
    )
    return dict(rows.fetchall())


def _raw_statements(connection: psycopg.Connection) -> dict[str, str]:
    """The statements that create or upgrade the tables of raw, by table.

    Raises:
        OutcomesError: a column would become narrower.
    """
    before = _columns(connection)
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


def _differences(before: Columns, after: Columns, names: dict[str, str]) -> list[str]:
    """The changes, in words; `names` has the present name of the ledger's tables by the earlier."""
    changes = [f"{was} is now {name}" for was, name in names.items() if was != name]
    before = {(names.get(table, table), name): type_ for (table, name), type_ in before.items()}
    tables_before, tables_after = {table for table, _ in before}, {table for table, _ in after}
    for table, name in before | after:
        was, now = before.get((table, name)), after.get((table, name))
        if table not in tables_before:
            changes.append(f"{table} is new")
        elif table not in tables_after:
            changes.append(f"{table} is dropped")
        elif was is None:
            changes.append(f"{table}.{name} is new: {now}")
        elif now is None:
            changes.append(f"{table}.{name} is dropped")
        elif was != now:
            changes.append(f"{table}.{name} was {was}, is {now}")
    return list(dict.fromkeys(changes))


def owner_of_landing(connection: psycopg.Connection) -> str | None:
    """The login that owns raw and the ledger; None before they exist."""
    row = connection.execute(
        "select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'landing'"
    ).fetchone()
    return row[0] if row else None


@contextmanager
def _acting_as_owner(connection: psycopg.Connection) -> Iterator[None]:
    """Let new tables belong to the owner of the others, who upgrades them next time."""
    [(user,)] = connection.execute("select current_user").fetchall()
    owner = owner_of_landing(connection) or user
    if owner == user:
        yield
        return
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(owner)))
    try:
        yield
    finally:
        # A failed transaction resets the role itself.
        if connection.info.transaction_status != TransactionStatus.INERROR:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(user)))


def _require_extension(connection: psycopg.Connection) -> None:
    """Check that fuzzystrmatch can be, or is, where our sessions find it."""
    [(is_available, schema, may_use)] = connection.execute(
        query("outcomes.warehouse", "fuzzystrmatch")
    ).fetchall()
    if not is_available:
        raise OutcomesError(
            "The server has no extension fuzzystrmatch, which compares names. Install the "
            "package of PostgreSQL's additional modules (contrib) on it."
        )
    if schema not in (None, "public"):
        raise OutcomesError(
            f"The extension fuzzystrmatch is in the schema {schema}. Expected it in public: run "
            "`alter extension fuzzystrmatch set schema public` as its owner."
        )
    if not may_use:
        raise OutcomesError(
            f"{connection.info.user} may not use the schema public, where the extension "
            "fuzzystrmatch is. As the owner of the database, run `create schema if not exists "
            "public; grant usage on schema public to public`."
        )


def _require_owner(connection: psycopg.Connection) -> None:
    row = connection.execute(
        """
        select coalesce(
            (select pg_has_role(nspowner, 'set') from pg_namespace where nspname = 'landing'),
            has_database_privilege(current_database(), 'create')
        )
        """
    ).fetchone()
    if row != (True,):
        raise OutcomesError(
            f"{connection.info.user} may not make or change the tables of a warehouse in "
            f"{connection.info.dbname}. As the owner of the database, run `outcomes access apply` "
            "for a new warehouse, or `outcomes warehouse upgrade` for an existing one."
        )


def _require_no_build(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "select exists (select from pg_stat_activity "
        "where datname = current_database() and application_name = 'dbt')"
    ).fetchone()
    if row == (True,):
        raise OutcomesError(
            "A build is running, and an upgrade drops tables that it uses: upgrade when it has "
            "ended."
        )


def _create_pseudonym_key(connection: psycopg.Connection) -> None:
    """Generate the key of the pseudonyms, used until the environment sets one."""
    connection.execute(
        "update privacy.pseudonym_key set key = %s where key is null and not is_in_environment",
        [secrets.token_bytes(32)],
    )
