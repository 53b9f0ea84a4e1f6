"""The content of a built warehouse, for comparisons."""

from __future__ import annotations

import psycopg
from tests.python.conftest import UNTESTED

from outcomes.feeds import raw_feeds
from outcomes.warehouse.migrations import LEDGER_SCHEMAS

# Pseudonymized marts depend on a key of each database; relations about
# builds depend on time and number of builds; and dictionaries keep old values.
COMPARED_SCHEMAS = ("identity", "marts", "marts_public", "quality")
EXCEPT = (
    "pseudonyms",
    "int_identity_assignments",
    "person_events",
    "int_identities",
    "int_identity_comparisons",
)

# dbt's command to build all that is compared.
BUILD_COMPARED = (
    *UNTESTED, "--exclude", "path:models/marts/pseudonymized", "path:models/marts/district",
)  # fmt: skip

# To build what everything that is published follows from: facts, and what is missing from them.
BUILD_FACTS = (*UNTESTED, "--select", "+path:models/facts", "+incomplete_records")


def content_hashes(connection: psycopg.Connection) -> dict[str, str]:
    """A hash over the rows of each published table, in any order."""
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
    """The number of rows of every table of raw and the ledger."""
    tables = connection.execute(
        "select schemaname || '.' || tablename from pg_tables where schemaname = any(%s)",
        [["raw", *LEDGER_SCHEMAS]],
    ).fetchall()
    counts = {}
    for (table,) in tables:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
        assert row is not None
        counts[table] = row[0]
    return counts


def ledger_hashes(connection: psycopg.Connection) -> dict[str, str]:
    """A hash over raw and the ledger, without ids and times of the database.

    Files are named by partner, day, name and content instead of `file_id` and `load_id`.
    """
    named = "(partner_id, as_of_date, file_name, sha256)::text"
    file_of = f"(select {named} from landing.files where file_id = {{}})"
    own = "file_id,received_at,released_at,duplicate_of"
    queries = {
        "landing.files": f"""
            select
                to_jsonb(f) - '{{{own}}}'::text[]
                || jsonb_build_object('copy_of', {file_of.format("f.duplicate_of")}) as r
            from landing.files as f
        """
    }
    for table in ("landing.rejected_rows", "landing.value_issues"):
        queries[table] = f"""
            select (to_jsonb(t) - 'file_id') || to_jsonb({file_of.format("t.file_id")}) as r
            from {table} as t
        """
    for feed in raw_feeds():
        queries[f"raw.{feed}"] = f"""
            select (to_jsonb(t) - 'load_id') || to_jsonb({file_of.format("t.load_id")}) as r
            from raw.{feed} as t
        """
    return {table: _hash(connection, f"({query})") for table, query in queries.items()}


def _hash(connection: psycopg.Connection, table: str) -> str:
    row = connection.execute(
        f"select count(*) || ' rows ' || coalesce(md5(string_agg(r::text, '|' order by r::text "
        f"collate \"C\")), '') from {table} as r".encode()
    ).fetchone()
    assert row is not None
    return str(row[0])
