"""Servers without the roles, or with a login that may not create them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql
from tests.python.conftest import run_dbt
from tests.python.landing.commands import run

from outcomes.access.roles import apply_access
from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.ledger import record_partners
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables


@pytest.fixture
def owner(new_server: Settings) -> Settings:
    """A login that owns a database and has no other rights."""
    password = secrets.token_urlsafe()
    with connect(new_server) as admin:
        admin.execute(sql.SQL("create role owner login password {}").format(sql.Literal(password)))
        admin.execute("create database owned owner owner")
    return replace(new_server, user="owner", password=password, database="owned")


def test_a_build_works_without_the_roles(
    owner: Settings, new_server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_USER", owner.user)
    monkeypatch.setenv("OUTCOMES_PG_PASSWORD", owner.password)
    with connect(owner) as connection:
        create_tables(connection)
        record_partners(connection, load_contracts().values())
        run_dbt(owner, "run", "--select", "stg_partners", "dim_districts", role="")

        with pytest.raises(OutcomesError, match="as the owner of the database with the attribute"):
            apply_access(connection, ["clairton"])
        assert (
            connection.execute("select from pg_roles where rolname like 'outcomes\\_%'").fetchall()
            == []
        )

        with connect(new_server) as admin:
            admin.execute("alter role owner createrole")
            admin.execute("grant pg_read_all_stats to owner with admin option")
        assert "created the role outcomes_district_clairton" in apply_access(
            connection, ["clairton"]
        )
        assert apply_access(connection, ["clairton"]) == []


def test_a_loader_without_tables_gets_advice(
    owner: Settings, new_server: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    password = secrets.token_urlsafe()
    with connect(new_server) as admin:
        admin.execute(sql.SQL("create role loader login password {}").format(sql.Literal(password)))
    for name, value in {"USER": "loader", "PASSWORD": password, "DATABASE": "owned"}.items():
        monkeypatch.setenv(f"OUTCOMES_PG_{name}", value)
    delivery = tmp_path / "drops" / "clairton" / "2012-10-03"
    delivery.mkdir(parents=True)
    (delivery / "notes.txt").write_text("no delivery")
    with pytest.raises(
        OutcomesError, match="As the owner of the database, run `outcomes access apply`"
    ):
        run("land", tmp_path / "drops")
