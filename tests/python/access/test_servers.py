"""Servers of one's own: other logins, other settings, missing rights."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.python.access.acting import acting_as
from tests.python.conftest import SAMPLE, own_server, run_dbt, try_dbt
from tests.python.docs.documents import page
from tests.python.landing.commands import run
from tests.python.parsed_projects import parsed_for_outcomes

from outcomes.access.rights import require_access, require_purge
from outcomes.access.roles import apply_access, builds_as
from outcomes.config import Settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.ledger import record_partners
from outcomes.warehouse import connection as connections
from outcomes.warehouse.connection import connect, session_options
from outcomes.warehouse.tables import create_tables, upgrade

DELIVERY = SAMPLE / "drops" / "clairton" / "2012-10-03"


def number(connection: psycopg.Connection, query: str) -> int:
    [(count,)] = connection.execute(query.encode()).fetchall()
    return int(count)


@contextlib.contextmanager
def acting(settings: Settings) -> Iterator[None]:
    """Let commands connect with this login."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("OUTCOMES_PG_USER", settings.user)
        changed.setenv("OUTCOMES_PG_PASSWORD", settings.password)
        changed.setenv("OUTCOMES_PG_DATABASE", settings.database)
        yield


def with_password(admin: psycopg.Connection, settings: Settings, login: str) -> Settings:
    password = secrets.token_urlsafe()
    statement = sql.SQL("alter role {} login password {}")
    admin.execute(statement.format(sql.Identifier(login), sql.Literal(password)))
    return replace(settings, user=login, password=password)


@pytest.fixture
def owner(new_server: Settings) -> Settings:
    """A login that owns a database and has no other rights."""
    with connect(new_server) as admin:
        admin.execute("create role owner")
        admin.execute("create database owned owner owner")
        return replace(with_password(admin, new_server, "owner"), database="owned")


def shown(word: str) -> str:
    """The statements for a superuser in docs/operations.md that have this word."""
    (statements,) = (text for text in page("operations").blocks("text") if word in text)
    return statements


@dataclass(frozen=True)
class Logins:
    """The logins of docs/operations.md, "Your own PostgreSQL"."""

    superuser: Settings
    landing: Settings
    making_roles: Settings


@pytest.fixture
def logins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logins]:
    monkeypatch.setenv("OUTCOMES_PG_USER", "postgres")
    with own_server(monkeypatch) as server:
        with connect(replace(server, database="postgres")) as superuser:
            superuser.execute("drop database outcomes")
            for statement in shown("createrole").splitlines():
                superuser.execute(statement.encode())
            landing = with_password(superuser, server, "outcomes")
            making_roles = with_password(superuser, server, "outcomes_admin")
        yield Logins(server, landing, making_roles)


def test_a_build_goes_on_after_another_login_has_made_the_roles(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_TARGET", "prod")

    def build_and_publish() -> None:
        with acting(logins.landing), connect(logins.landing) as connection:
            create_tables(connection)
            record_partners(connection, load_contracts().values())
            role = builds_as(connection)
            run_dbt(logins.landing, "run", "--select", "stg_partners", "dim_districts", role=role)
            with acting_as(connection, role), connection.transaction():
                connection.execute("create schema if not exists marts")
                connection.execute(
                    "select publishing.copy_table("
                    "'next_marts.dim_districts', 'marts', 'dim_districts', 'true', '')"
                )
            districts = number(connection, "select count(*) from marts.dim_districts")
            assert districts == len(district_ids(load_contracts().values()))

    build_and_publish()
    with acting(logins.making_roles):
        output = run("access", "apply", "--details")[1]
    assert "gave the schema landing to outcomes_admin" in output
    assert "\nChanges: " in output
    assert "made outcomes a member of outcomes_builder" in output
    build_and_publish()
    with acting(logins.landing), pytest.raises(OutcomesError, match="may not make the roles"):
        run("access", "apply")
    purge = ("purge", "--partner", "clairton", "--yes")
    with acting(logins.landing), pytest.raises(OutcomesError, match="the login outcomes_admin"):
        run(*purge)
    with acting(logins.making_roles), pytest.raises(OutcomesError, match="grant pg_checkpoint to"):
        run(*purge)
    with connect(logins.superuser) as superuser:
        superuser.execute(shown("pg_checkpoint").encode())
    with acting(logins.making_roles), connect(logins.making_roles) as connection:
        require_purge(connection, logins.making_roles)


@pytest.mark.slow
def test_weeks_go_on_after_another_login_has_made_the_roles(logins: Logins) -> None:
    for options in ([], ["--force"]):
        with acting(logins.landing), parsed_for_outcomes("outcomes"):
            assert "Published: " in run("weekly", *options, SAMPLE / "drops")[1]
        with acting(logins.making_roles):
            assert run("access", "apply")[0] == 0


def test_an_upgrade_by_another_login_keeps_the_owner(logins: Logins) -> None:
    with connect(logins.landing) as connection:
        create_tables(connection)
    owners = """
        select string_agg(distinct tableowner, ', ') from pg_tables
        where schemaname in ('raw', 'landing', 'publishing', 'releases', 'linking', 'privacy')
    """
    for login in (logins.superuser, logins.making_roles):
        with connect(login) as connection:
            connection.execute("drop table raw.gpas")
            assert upgrade(connection) == ["raw.gpas is new"]
            assert connection.execute(owners.encode()).fetchall() == [("outcomes",)]
    with connect(logins.making_roles) as connection:
        apply_access(connection, ["clairton"])
        assert connection.execute(owners.encode()).fetchall() == [("outcomes_admin",)]
    with connect(logins.superuser) as connection:
        # As an upgrade of an earlier release left it.
        connection.execute("alter table raw.gpas owner to postgres")
        changes = apply_access(connection, ["clairton"])
        assert changes == ["gave the table raw.gpas to outcomes_admin"]


def test_a_build_works_without_the_roles(
    owner: Settings, new_server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_USER", owner.user)
    monkeypatch.setenv("OUTCOMES_PG_PASSWORD", owner.password)
    with connect(owner) as connection:
        create_tables(connection)
        record_partners(connection, load_contracts().values())
        run_dbt(owner, "run", "--select", "stg_partners", "dim_districts", role="")

        with pytest.raises(OutcomesError) as refused:
            require_access(connection)
        said = str(refused.value)
        with connect(new_server) as admin:
            admin.execute(said[said.index("alter role") :].encode())
        require_access(connection)
        assert "created the role outcomes_district_clairton" in apply_access(
            connection, ["clairton"]
        )
        assert apply_access(connection, ["clairton"]) == []


def test_a_loader_without_tables_gets_advice(
    owner: Settings, new_server: Settings, tmp_path: Path
) -> None:
    with connect(new_server) as admin:
        admin.execute("create role loader")
        loader = replace(with_password(admin, owner, "loader"), database="owned")
    delivery = tmp_path / "drops" / "clairton" / "2012-10-03"
    delivery.mkdir(parents=True)
    (delivery / "notes.txt").write_text("no delivery")
    with acting(loader), pytest.raises(OutcomesError, match="run `outcomes access apply`"):
        run("land", tmp_path / "drops")


def test_a_command_without_the_rights_begins_nothing(owner: Settings, new_server: Settings) -> None:
    with connect(new_server) as admin, connect(replace(new_server, database="owned")) as ours:
        ours.execute("set role owner")
        create_tables(ours)
        ours.execute("reset role")
        admin.execute("alter role owner createrole")
        apply_access(ours, ["clairton"])
        admin.execute("create role other in role outcomes_steward")
        admin.execute("grant connect on database owned to other")
        other = replace(with_password(admin, owner, "other"), database="owned")
        for login, command, missing in (
            (other, ("weekly", DELIVERY), "grant outcomes_loader to other; grant outcomes_builder"),
            (other, ("build",), "grant create on database owned to other"),
            (other, ("purge", "--partner", "clairton", "--yes"), "grant owner to other"),
            (owner, ("purge", "--partner", "clairton", "--yes"), "grant pg_checkpoint to owner"),
        ):
            with acting(login), pytest.raises(OutcomesError, match=missing) as refused:
                run(*command)
            assert "Nothing was changed" in str(refused.value)
        assert number(ours, "select count(*) from landing.files") == 0
        assert number(ours, "select count(*) from privacy.purges") == 0
        said = str(refused.value)
        ours.execute(said[said.index("grant ") :].encode())
        with acting(owner), pytest.raises(OutcomesError, match="no data of a partner"):
            run("purge", "--partner", "clairton", "--yes")


OTHER_SETTINGS = {
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "default_transaction_isolation": "serializable",
    "search_path": "",
    "client_encoding": "LATIN1",
}


@pytest.fixture
def set_badly(database: Settings) -> Settings:
    with connect(database) as connection:
        for name, value in OTHER_SETTINGS.items():
            connection.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    sql.Identifier(database.database), sql.Identifier(name), sql.Literal(value)
                )
            )
    return database


def test_other_settings_of_a_server_do_not_matter(
    set_badly: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OUTCOMES_ARCHIVE_DIR", str(tmp_path / "archive"))
    with connect(set_badly) as connection:
        connection.execute(
            f"alter database {set_badly.database} set statement_timeout = 1".encode()
        )
    run("land", DELIVERY)
    with connect(set_badly) as connection:
        assert number(connection, "select count(*) from raw.students") > 0
        # psycopg cannot read a time in another style.
        connection.execute("select now(), interval '1 day', levenshtein('a', 'b')").fetchall()
        assert connection.execute("show transaction_isolation").fetchall() == [("read committed",)]
        connection.execute("select pg_sleep(0.01)")
    run_dbt(set_badly, "run", "--select", "stg_partners", role="", options=session_options())


def test_dbt_alone_says_which_settings_it_needs(set_badly: Settings) -> None:
    refused = try_dbt(set_badly, "run", "--select", "stg_partners", role="")
    assert not refused.success
    assert "Sessions have the isolation serializable" in refused.output


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_another_encoding_is_refused(
    warehouse: Settings, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(replace(warehouse, database="postgres")) as server:
        server.execute(
            f"create database encoded encoding '{encoding}' locale_provider libc locale 'C' "
            "template template0".encode()
        )
        try:
            monkeypatch.setenv("OUTCOMES_PG_DATABASE", "encoded")
            for command in (("land", DELIVERY), ("build",), ("warehouse", "upgrade"), ("status",)):
                with pytest.raises(OutcomesError, match=f"is {encoding}. Expected UTF8"):
                    run(*command)
        finally:
            server.execute("drop database encoded")


def test_an_old_server_is_refused(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OLDEST_VERSION", 99)
    with pytest.raises(OutcomesError, match="Expected 99 or newer"):
        connect(warehouse)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "create schema elsewhere; alter extension fuzzystrmatch set schema elsewhere",
            "is in the schema elsewhere. Expected it in public",
        ),
        ("drop extension fuzzystrmatch; drop schema public", "schema if not exists public"),
    ],
)
def test_an_extension_that_our_sessions_do_not_find_is_an_error(
    connection: psycopg.Connection, change: str, message: str
) -> None:
    connection.execute(change.encode())
    with pytest.raises(OutcomesError, match=message):
        create_tables(connection)


def test_a_short_key_of_the_pseudonyms_lands_nothing(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_PSEUDONYM_KEY", "k" * 31)
    with pytest.raises(OutcomesError, match=r"has 31 characters\. Expected at least 32"):
        run("weekly", DELIVERY)
    monkeypatch.delenv("OUTCOMES_PSEUDONYM_KEY")
    connection.execute("update privacy.pseudonym_key set key = null, is_in_environment = true")
    with pytest.raises(OutcomesError, match="Set OUTCOMES_PSEUDONYM_KEY"):
        run("weekly", DELIVERY)
    assert number(connection, "select count(*) from landing.files") == 0
