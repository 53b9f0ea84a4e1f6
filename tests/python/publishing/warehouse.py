"""What the tests of publishing do to a warehouse, and what they see in it."""

from __future__ import annotations

import uuid

import psycopg

_PUBLISHED = """
    select oid from pg_class
    where
        relkind = 'r'
        and (
            relnamespace::regnamespace::text in (
                'marts', 'marts_deidentified', 'marts_public', 'quality'
            )
            or relnamespace::regnamespace::text = 'identity'
            and relname in (select relation from identity.publications)
        )
"""


def pretend_build(connection: psycopg.Connection, change: str = "") -> str:
    """Enter a complete run that passed; `change` is what it built otherwise than the last.

    `{run_id}` in it stands for the run.

    Returns:
        The run, which has not been published.
    """
    run_id = str(uuid.uuid4())
    connection.execute(
        "select landing.begin_run(%s, 'build', 'test', 'test', 'test', 'test')", [run_id]
    )
    connection.execute(change.replace("{run_id}", run_id).encode())
    connection.execute(
        """
        select landing.finish_run(
            %s, 'passed', '2012-10-05', '{}',
            array(
                select substring(schemaname from 6) || '.' || tablename
                from pg_tables where schemaname like 'next\\_%%'
            )
        )
        """,
        [run_id],
    )
    return run_id


def publish(connection: psycopg.Connection, run_id: str) -> None:
    """Publish a run as if it had been audited."""
    connection.execute("update landing.runs set audited_at = now() where run_id = %s", [run_id])
    connection.execute("select landing.publish_run(%s)", [run_id])


def public_run(connection: psycopg.Connection, schema: str = "marts") -> str:
    """The one run whose relations people read in a schema."""
    runs = connection.execute(
        f"select distinct run_id from {schema}.publications".encode()
    ).fetchall()
    assert len(runs) == 1
    return str(runs[0][0])


def definitions(connection: psycopg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Everything about the published relations but their rows."""
    queries = {
        "tables": """
            select oid, oid::regclass::text, relowner, relacl::text, relrowsecurity,
                relforcerowsecurity, obj_description(oid, 'pg_class')
            from pg_class where oid in ({published})
        """,
        "columns": """
            select attrelid, attname, attnum, format_type(atttypid, atttypmod), attnotnull,
                attacl::text, attstattarget, col_description(attrelid, attnum)
            from pg_attribute where attnum > 0 and attrelid in ({published})
        """,
        "policies": """
            select polrelid, polname, polcmd, polroles::text, pg_get_expr(polqual, polrelid)
            from pg_policy where polrelid in ({published})
        """,
        "keys": """
            select conrelid, contype, pg_get_constraintdef(oid)
            from pg_constraint where conrelid in ({published})
        """,
        "views": """
            select distinct pg_rewrite.ev_class, pg_get_viewdef(pg_rewrite.ev_class)
            from pg_depend inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
            where pg_depend.refobjid in ({published})
        """,
    }
    return {
        name: sorted(
            connection.execute(query.format(published=_PUBLISHED).encode()).fetchall(), key=str
        )
        for name, query in queries.items()
    }
