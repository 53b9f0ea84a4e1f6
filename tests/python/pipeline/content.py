"""The content of a built warehouse, for comparisons."""

from __future__ import annotations

import psycopg

# De-identified marts hang on a key that every database makes for itself.
COMPARED_SCHEMAS = ("identity", "marts", "marts_public", "quality")
EXCEPT = ("pseudonyms",)


def content_hashes(connection: psycopg.Connection) -> dict[str, str]:
    """A hash over the rows of each published table, whatever their order."""
    tables = connection.execute(
        """
        select schemaname || '.' || tablename
        from pg_tables
        where schemaname = any(%s) and not tablename = any(%s)
        order by 1
        """,
        [list(COMPARED_SCHEMAS), list(EXCEPT)],
    ).fetchall()
    return {table: _hash(connection, table) for (table,) in tables}


def landed_counts(connection: psycopg.Connection) -> dict[str, int]:
    """The rows of every table of raw and the ledger."""
    tables = connection.execute(
        "select schemaname || '.' || tablename from pg_tables "
        "where schemaname in ('raw', 'landing')"
    ).fetchall()
    counts = {}
    for (table,) in tables:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
        assert row is not None
        counts[table] = row[0]
    return counts


def _hash(connection: psycopg.Connection, table: str) -> str:
    row = connection.execute(
        f"select count(*) || ' rows ' || coalesce(md5(string_agg(r::text, '|' order by r::text "
        f"collate \"C\")), '') from {table} as r".encode()
    ).fetchone()
    assert row is not None
    return str(row[0])
