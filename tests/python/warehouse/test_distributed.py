"""The whole pipeline on a Citus cluster, beside one node with the same deliveries.

`OUTCOMES_CITUS_URL` names an empty database of a coordinator, which is emptied again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.python.conftest import TESTED, copied, run_dbt
from tests.python.pipeline.content import content_hashes

from bench.database import temporary_database
from outcomes.access.logins import make_login
from outcomes.access.roles import apply_access, role_exists
from outcomes.config import Settings, load_settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.operations.purge import begin, rewrite_storage
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables

# They name the run, and the time of the publication.
OF_RUNS = ("publications", "rpt_measure_history")
DISTRIBUTED = {
    ("raw.attendance_events", "line_number"),
    ("raw.clients", "source_client_id"),
    ("raw.services", "source_client_id"),
}


@contextlib.contextmanager
def on_the_cluster() -> Iterator[Settings]:
    """Point the environment at the cluster."""
    parameters = {"dbname": "DATABASE", "host": "HOST", "port": "PORT", "user": "USER",
                  "password": "PASSWORD"}  # fmt: skip
    url = conninfo_to_dict(os.environ["OUTCOMES_CITUS_URL"])
    with pytest.MonkeyPatch.context() as environment:
        for name, value in url.items():
            environment.setenv(f"OUTCOMES_PG_{parameters[name]}", str(value))
        environment.setenv("OUTCOMES_DISTRIBUTED", "true")
        environment.setenv("OUTCOMES_TARGET", "prod")
        yield load_settings()


@pytest.fixture(scope="session")
def cluster(warehouse: Settings) -> Iterator[Settings]:
    """A cluster with the tables and the roles, and without rows."""
    if "OUTCOMES_CITUS_URL" not in os.environ:
        pytest.skip("OUTCOMES_CITUS_URL does not name a Citus cluster (docs/distributed.md)")
    with contextlib.ExitStack() as stack:
        with on_the_cluster() as settings:
            connection = stack.enter_context(temporary_database())
            apply_access(connection, district_ids(load_contracts().values()))
            # The same pseudonyms and the same noise as on one node.
            connection.execute("update privacy.pseudonym_key set key = sha256('tests')")
        yield settings


@pytest.fixture(scope="session")
def published(cluster: Settings, demo_drops: Path) -> Settings:
    """The demo, landed, built and published by the owner."""
    contracts = load_contracts()
    with on_the_cluster(), connect() as connection:
        for _ in land_deliveries(
            connection, contracts, find_deliveries(demo_drops, contracts).files
        ):
            pass
        assert "Published: " in run_dbt(cluster, *TESTED, role="")
    return cluster


def figures(connection: psycopg.Connection) -> dict[str, str]:
    hashes = content_hashes(connection)
    return {name: rows for name, rows in hashes.items() if not name.endswith(OF_RUNS)}


@pytest.mark.citus
def test_the_large_tables_are_on_all_workers(published: Settings) -> None:
    with connect(published) as connection:
        rows = connection.execute(
            """
            select
                table_name::text,
                distribution_column,
                (
                    select count(distinct nodeport)
                    from citus_shards
                    where citus_shards.table_name = citus_tables.table_name
                )
            from citus_tables
            where citus_table_type = 'distributed'
            """
        ).fetchall()
        [(workers,)] = connection.execute(
            "select count(*) from citus_get_active_worker_nodes()"
        ).fetchall()
    assert {(table, column) for table, column, _ in rows} == DISTRIBUTED
    assert {nodes for _, _, nodes in rows} == {workers}


@pytest.mark.citus
def test_a_cluster_publishes_what_one_node_publishes(
    published: Settings, first_publication: Settings
) -> None:
    with connect(published) as cluster, connect(first_publication) as one_node:
        expected = figures(one_node)
        assert len(expected) > 50
        assert figures(cluster) == expected


@pytest.mark.citus
def test_an_earlier_day_and_back(published: Settings, first_publication: Settings) -> None:
    """Each build replaces the tables of the last."""
    earlier = (*TESTED, "--vars", "{as_of: 2012-08-31, publish: true, accept_loss: a test}")
    with copied(first_publication, "one_node_earlier") as one_node, connect(one_node) as connection:
        today = figures(connection)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("OUTCOMES_TARGET", "prod")
            run_dbt(one_node, *earlier)
        expected = figures(connection)
    with on_the_cluster(), connect() as connection:
        run_dbt(published, *earlier, role="")
        assert figures(connection) == expected != today
        run_dbt(published, *TESTED, role="")
        assert figures(connection) == today


@pytest.fixture
def a_login(published: Settings) -> Iterator[Callable[[str], Settings]]:
    """Make a login with a role."""
    name, password = "citus_reader", "a good one"

    def make(role: str) -> Settings:
        with connect(published) as owner:
            make_login(owner, name, password, role)
        return replace(published, user=name, password=password)

    yield make
    with connect(published) as owner:
        if role_exists(owner, name):
            owner.execute(f"drop owned by {name}; drop role {name}".encode())


@pytest.mark.citus
@pytest.mark.parametrize(
    ("role", "relation"),
    [
        ("outcomes_public", "marts_public.rpt_outcome_gaps"),
        ("outcomes_analyst", "marts_pseudonymized.fct_student_years"),
        ("outcomes_steward", "deliveries.int_superseded_clients"),
        ("outcomes_district_clairton", "district_clairton.dim_students"),
    ],
)
def test_a_login_reads_its_schema_and_no_raw_rows_on_any_node(
    role: str, relation: str, published: Settings, a_login: Callable[[str], Settings]
) -> None:
    reader = a_login(role)
    with connect(reader) as connection:
        assert count(connection, relation) > 0
        assert count(connection, "crosswalks.codes") > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            count(connection, "raw.clients")
    # A login may connect to a worker, too, where the shards are tables of their own.
    pieces_and_rights = f"""
        select json_build_array(
            count(*) > {len(DISTRIBUTED)},
            bool_or(has_table_privilege('{reader.user}', pg_class.oid, 'select'))
        )
        from pg_class
        where relnamespace = 'raw'::regnamespace and relkind = 'r'
    """
    with connect(published) as owner:
        assert set(on_workers(owner, pieces_and_rights).values()) == {"[true, false]"}


@pytest.mark.citus
def test_a_purge_leaves_no_old_statistics_on_the_workers(published: Settings) -> None:
    with on_the_cluster() as settings, connect() as connection:
        rewrite_storage(begin(connection, settings, "nobody"))
        size = "select pg_table_size('pg_statistic')"
        after = on_workers(connection, size)
        on_workers(connection, "vacuum (full) pg_statistic")
        assert on_workers(connection, size) == after


def on_workers(connection: psycopg.Connection, command: str) -> dict[str, str]:
    query = "select nodename || ':' || nodeport, result from run_command_on_workers(%s)"
    return dict(connection.execute(query, [command]).fetchall())


def count(connection: psycopg.Connection, relation: str) -> int:
    [(rows,)] = connection.execute(f"select count(*) from {relation}".encode()).fetchall()
    return int(rows)


def test_a_server_without_citus_says_what_is_missing(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_DISTRIBUTED", "true")
    with pytest.raises(OutcomesError, match="create extension citus"):
        create_tables(connection)
