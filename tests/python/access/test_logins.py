"""Logins for people: their rights, and the instructions to connect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from tests.python.landing.commands import run
from typer.testing import CliRunner

from outcomes.access.roles import role_exists
from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect


@pytest.fixture
def warehouse_of_readers(
    first_publication: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", first_publication.database)
    yield first_publication
    with connect(first_publication) as owner:
        for name in ("ana", "dana", "nightly"):
            if role_exists(owner, name):
                owner.execute(f"drop owned by {name} cascade; drop role {name}".encode())


def make(*arguments: str, password: str = "a good one") -> str:
    done = CliRunner().invoke(
        cli, ["access", "login", *arguments], input=f"{password}\n{password}\n"
    )
    if isinstance(done.exception, OutcomesError):
        raise done.exception
    assert done.exit_code == 0, done.output
    assert password not in done.output
    return done.output


def rows(settings: Settings, login: str, relation: str) -> int:
    reader = replace(settings, user=login, password="a good one")
    with connect(reader) as connection:
        row = connection.execute(f"select count(*) from {relation}".encode()).fetchone()
    return int(row[0]) if row else 0


def test_a_login_has_the_rights_of_its_role_and_prints_how_to_connect(
    warehouse_of_readers: Settings,
) -> None:
    output = make("ana", "--role", "analyst")
    assert "marts_pseudonymized" in output
    assert "next_marts" not in output
    assert f"postgresql://ana@127.0.0.1:{warehouse_of_readers.port}/" in output
    assert rows(warehouse_of_readers, "ana", "marts_pseudonymized.fct_student_years") > 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(warehouse_of_readers, "ana", "marts.dim_students")

    output = make("dana", "--role", "district", "--district", "pittsburgh")
    assert "district_pittsburgh" in output
    for relation in ("dim_students", "rpt_early_warnings", "rpt_promise_pipeline"):
        assert rows(warehouse_of_readers, "dana", f"district_pittsburgh.{relation}") > 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(warehouse_of_readers, "dana", "district_clairton.dim_students")
    login = replace(warehouse_of_readers, user="dana", password="a good one")
    with connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("set role outcomes_steward")


def test_the_password_reaches_the_server_as_a_verifier(warehouse_of_readers: Settings) -> None:
    make("ana", "--role", "public")
    with connect(warehouse_of_readers) as owner:
        stored = owner.execute("select rolpassword from pg_authid where rolname = 'ana'").fetchone()
    assert str(stored[0] if stored else "").startswith("SCRAM-SHA-256$")


def test_a_builder_login_acts_as_the_builder_role(warehouse_of_readers: Settings) -> None:
    make("nightly", "--role", "builder")
    login = replace(warehouse_of_readers, user="nightly", password="a good one")
    with connect(login) as connection:
        assert connection.execute("select current_user").fetchone() == ("outcomes_builder",)


def test_a_login_without_a_role_cannot_connect(warehouse_of_readers: Settings) -> None:
    with connect(warehouse_of_readers) as owner:
        owner.execute("create role ana login password 'a good one'")
    with pytest.raises(OutcomesError, match="permission denied for database"):
        rows(warehouse_of_readers, "ana", "pg_class")


def test_a_refused_login_names_the_reason(warehouse_of_readers: Settings) -> None:
    make("ana", "--role", "analyst")
    with pytest.raises(OutcomesError, match=r"A role ana exists already.*change its password"):
        make("ana", "--role", "public")
    with pytest.raises(OutcomesError, match="No district 'nowhere' has a contract"):
        make("dana", "--role", "district", "--district", "nowhere")
    with pytest.raises(OutcomesError, match="Expected --district with --role district"):
        run("access", "login", "dana", "--role", "district")
