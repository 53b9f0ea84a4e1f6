"""The whole pipeline on a Citus cluster, beside one node with the same deliveries.

`OUTCOMES_CITUS_URL` names an empty database of a coordinator, which is emptied again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.python.access.acting import acting_as
from tests.python.conftest import TESTED, run_dbt
from tests.python.pipeline.content import content_hashes

from bench.database import temporary_database
from outcomes.access.roles import apply_access
from outcomes.config import Settings, load_settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables

# They name the run, and the time of the publication.
OF_RUNS = ("publications", "rpt_measure_history")
SPREAD = {
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
            connection.execute("update landing.pseudonym_key set key = sha256('tests')")
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
    assert {(table, column) for table, column, _ in rows} == SPREAD
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
def test_a_build_replaces_the_tables_of_the_last(published: Settings) -> None:
    with on_the_cluster(), connect() as connection:
        before = figures(connection)
        run_dbt(published, *TESTED, role="")
        assert figures(connection) == before


@pytest.mark.citus
def test_a_role_reads_its_schema_and_no_raw_rows(published: Settings) -> None:
    with connect(published) as connection, acting_as(connection, "outcomes_analyst"):
        connection.execute("select from marts_pseudonymized.fct_student_years")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select from raw.clients")


def test_a_server_without_citus_says_what_is_missing(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_DISTRIBUTED", "true")
    with pytest.raises(OutcomesError, match="create extension citus"):
        create_tables(connection)
