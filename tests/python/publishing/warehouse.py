"""Helpers of the tests of publishing."""

from __future__ import annotations

import json
import uuid

import psycopg
from tests.python.access.acting import acting_as

from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.publishing import runs

SCHEMAS = (
    *(f"district_{district_id}" for district_id in district_ids(load_contracts().values())),
    "identity", "marts", "marts_pseudonymized", "marts_district", "marts_public", "quality",
)  # fmt: skip

_PUBLISHED = """
    select format('%I.%I', schema_name, relation)::regclass
    from publishing.run_relations
    where run_id = publishing.published_run()
    union
    select format('%I.publications', schema_name)::regclass
    from publishing.run_relations
    where run_id = publishing.published_run()
"""
# Every privilege as a row, including the owner's default ones.
_RIGHTS = """
    array(
        select item::text
        from unnest(coalesce({acl}, acldefault('{kind}', {owner}))) as item
        order by 1
    )::text
"""
# All schemas but PostgreSQL's own and the copy for a rollback.
_OURS = "{namespace}::regnamespace::text !~ '^(pg_|information_schema|previous_)'"


def pretend_build(
    connection: psycopg.Connection, change: str = "", readers: dict[str, list[str]] | None = None
) -> str:
    """Record a complete run that passed but is not published.

    Args:
        connection: to a published warehouse.
        change: SQL for the differences from the last run; `{run_id}` is the run.
        readers: readers of relations that differ from the last run.
    """
    run_id = str(uuid.uuid4())
    with acting_as(connection, "outcomes_builder"):
        connection.execute(
            "select publishing.begin_run(%s, 'build', 'test', 'test', 'test', 'test')", [run_id]
        )
        connection.execute(
            "update publishing.runs set key_fingerprint = privacy.key_fingerprint() "
            "where run_id = %s",
            [run_id],
        )
        connection.execute(change.replace("{run_id}", run_id).encode())
    connection.execute(
        """
        select publishing.finish_run(%s, 'passed', '2012-10-05', '{}', jsonb_agg(
            jsonb_build_object(
                'schema', built.schema_name,
                'relation', tablename,
                'readers', coalesce(
                    %s::jsonb -> (built.schema_name || '.' || tablename),
                    to_jsonb(common.readers),
                    '["outcomes_steward"]'
                ),
                'district_column', split_part(own.row_filter, ' ', 1)
            )
        ))
        from pg_tables
        cross join lateral (select substring(schemaname from 6) as schema_name) as built
        left join publishing.run_relations as common
            on
                common.run_id = publishing.published_run()
                and common.schema_name = built.schema_name
                and common.relation = tablename
        left join publishing.run_relations as own
            on
                own.run_id = publishing.published_run()
                and own.schema_name = 'district_clairton'
                and own.built_in = built.schema_name
                and own.relation = tablename
        where schemaname like 'next\\_%%'
        """,
        [run_id, json.dumps(readers or {})],
    )
    return run_id


def publish(connection: psycopg.Connection, run_id: str, because: str = "a test") -> None:
    """Publish a run as the builder, accepting missing rows."""
    with acting_as(connection, "outcomes_builder"):
        connection.execute("select publishing.publish_run(%s, %s)", [run_id, because])


def roll_back(connection: psycopg.Connection) -> None:
    """Roll back the last publication as the builder."""
    with acting_as(connection, "outcomes_builder"):
        runs.roll_back(connection)


def public_run(connection: psycopg.Connection, schema: str = "marts") -> str:
    """The run of all published relations of a schema."""
    runs = connection.execute(
        f"select distinct run_id from {schema}.publications".encode()
    ).fetchall()
    assert len(runs) == 1
    return str(runs[0][0])


def definitions(connection: psycopg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Definitions of the published relations, and all privileges."""
    queries = {
        "tables": f"""
            select oid, oid::regclass::text, relowner,
                {_RIGHTS.format(acl="relacl", kind="r", owner="relowner")},
                reloptions, obj_description(oid, 'pg_class')
            from pg_class where oid in ({_PUBLISHED})
        """,
        "columns": f"""
            select attrelid, attname, attnum, format_type(atttypid, atttypmod), attnotnull,
                {_RIGHTS.format(acl="attacl", kind="c", owner="'outcomes_builder'::regrole")},
                attstattarget, attoptions, col_description(attrelid, attnum)
            from pg_attribute where attnum > 0 and attrelid in ({_PUBLISHED})
        """,
        "keys": f"""
            select conrelid, contype, pg_get_constraintdef(oid)
            from pg_constraint where conrelid in ({_PUBLISHED})
        """,
        "views": f"""
            select distinct pg_rewrite.ev_class, pg_get_viewdef(pg_rewrite.ev_class)
            from pg_depend inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
            where pg_depend.refobjid in ({_PUBLISHED})
        """,
        "schemas": f"""
            select nspname, nspowner, {_RIGHTS.format(acl="nspacl", kind="n", owner="nspowner")},
                obj_description(oid, 'pg_namespace')
            from pg_namespace where {_OURS.format(namespace="oid")}
        """,
        "routines": f"""
            select oid::regprocedure::text, proowner, prosecdef, proleakproof, proconfig,
                {_RIGHTS.format(acl="proacl", kind="f", owner="proowner")}
            from pg_proc where {_OURS.format(namespace="pronamespace")}
        """,
        "sequences": f"""
            select oid::regclass::text, relowner,
                {_RIGHTS.format(acl="relacl", kind="s", owner="relowner")}
            from pg_class where relkind = 'S' and {_OURS.format(namespace="relnamespace")}
        """,
        "defaults": "select defaclrole, defaclnamespace, defaclobjtype, defaclacl::text "
        "from pg_default_acl",
        "database": "select datacl::text from pg_database where datname = current_database()",
    }
    return {
        name: sorted(connection.execute(query.encode()).fetchall(), key=str)
        for name, query in queries.items()
    }
