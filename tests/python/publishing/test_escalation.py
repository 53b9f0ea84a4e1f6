"""Builders and developers cannot use the rights of others, above all the owner's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from tests.python.conftest import cloned
from tests.python.landing.commands import run
from tests.python.publishing.warehouse import pretend_build, public_run, publish

from outcomes.access.logins import make_login
from outcomes.access.roles import ANALYST, BUILDER, DEVELOPER, apply_access, role_exists
from outcomes.config import Settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.errors import OutcomesError
from outcomes.operations.purge import begin, delete_rows
from outcomes.publishing import build
from outcomes.warehouse.connection import connect
from outcomes.warehouse.migrations import LEDGER_SCHEMAS

PASSWORD = "a good one"
DISTRICTS = district_ids(load_contracts().values())

# What runs with the rights of whoever uses a relation, planted where the owner's commands go.
PLANTED = """
    create table functions.tries (way text, login text);
    create function functions.climb(way text) returns boolean language plpgsql as $$
    begin
        insert into functions.tries values (way, session_user);
        begin
            reset role;
            alter role nightly superuser;
        exception when others then null;
        end;
        return true;
    end $$;
    create function functions.climb() returns trigger language plpgsql as $$
    begin
        perform functions.climb(tg_name);
        return new;
    end $$;
    create function functions.climbed(text) returns text immutable language plpgsql as $$
    begin
        perform functions.climb('index');
        return $1;
    end $$;

    create trigger at_once before insert on marts.dim_students
    for each row execute function functions.climb();
    create constraint trigger at_the_end after insert on marts.dim_dates
    deferrable initially deferred for each row execute function functions.climb();
    create rule climb as on insert to marts.dim_schools
    do also select functions.climb('rule');
    create index on previous_marts.fct_enrollments (functions.climbed(student_key));
    alter table previous_marts.dim_districts add check (functions.climb('check'));
    create trigger of_linking before delete on identity.int_identities
    for each statement execute function functions.climb();

    alter table quality.delivery_scorecards
    enable row level security, force row level security;
    create policy climb on quality.delivery_scorecards using (functions.climb('policy'));
    alter table quality.feed_freshness rename to hidden;
    create view quality.feed_freshness as
    select * from quality.hidden where functions.climb('view');
    truncate functions.tries;
"""
WAYS = {"at_once", "at_the_end", "rule", "index", "check", "of_linking", "policy", "view"}


@pytest.fixture
def people(published: Settings, connection: psycopg.Connection) -> Iterator[Settings]:
    """Logins of a builder, `nightly`, and of a developer, `dana`."""
    make_login(connection, "nightly", PASSWORD, BUILDER)
    make_login(connection, "dana", PASSWORD, DEVELOPER)
    yield published
    for name in ("nightly", "dana", "ana"):
        if role_exists(connection, name):
            connection.execute(f"drop owned by {name} cascade; drop role {name}".encode())


def login(settings: Settings, name: str) -> psycopg.Connection:
    return connect(replace(settings, user=name, password=PASSWORD))


def test_the_owner_runs_nothing_that_a_builder_has_written(
    people: Settings, connection: psycopg.Connection
) -> None:
    first = public_run(connection)
    publish(connection, pretend_build(connection))
    with login(people, "nightly") as builder:
        builder.execute(PLANTED)

    student = connection.execute("select min(student_key) from marts.dim_students").fetchone()
    assert student
    run("status")
    run("report", "summary")
    run("report", "district", "pittsburgh")
    run("link", "explain", student[0])
    with login(people, "nightly") as builder:
        # A view in a table's place is refused by a rollback.
        with pytest.raises(OutcomesError, match=r"quality\.feed_freshness is not a table"):
            run("rollback")
        builder.execute(
            "drop view quality.feed_freshness; alter table quality.hidden rename to feed_freshness"
        )
    run("rollback")
    assert public_run(connection) == first
    delete_rows(begin(connection, people, "woodland_hills"))
    apply_access(connection, DISTRICTS)

    tries = connection.execute("select distinct way, login from functions.tries").fetchall()
    assert {way for way, _ in tries} == WAYS
    assert not any(name == people.user for _, name in tries), tries
    assert powers(connection) == []


def powers(connection: psycopg.Connection) -> list[tuple[str]]:
    """Logins of the test, and those of commands, that are left or have become superusers."""
    return connection.execute(
        "select rolname from pg_roles where rolname like 'outcomes\\_command\\_%' "
        "or (rolsuper and rolname in ('nightly', 'dana'))"
    ).fetchall()


def test_a_build_of_the_owner_has_the_rights_of_a_builder(
    people: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "select current_user, session_user, rolsuper from pg_roles where rolname = session_user"

    class Dbt:
        def __init__(self, **_: object) -> None: ...

        def invoke(self, _: list[str]) -> None:
            with connect() as own:
                current, session, is_super = own.execute(asked).fetchone() or ("", "", True)
            assert (current, is_super) == (BUILDER, False)
            assert session.startswith("outcomes_command_")
            raise OutcomesError("as far as this")

    monkeypatch.setattr("dbt.cli.main.dbtRunner", Dbt)
    with pytest.raises(OutcomesError, match="as far as this"):
        build.build()
    assert powers(connection) == []
    # dbt alone would build with the owner's rights.
    for act in ("begin_run('run', 'build', '', '', '', '')", "publish_run('run', '')",
                "roll_back()"):  # fmt: skip
        with pytest.raises(psycopg.errors.RaiseException, match="The owner does not build"):
            connection.execute(f"select publishing.{act}".encode())


def test_a_login_that_a_killed_command_left_is_replaced(
    people: Settings, connection: psycopg.Connection
) -> None:
    row = connection.execute(
        "select oid from pg_database where datname = current_database()"
    ).fetchone()
    left = f"outcomes_command_{row[0] if row else ''}_1"
    make_login(connection, left, PASSWORD, BUILDER)
    run("status")
    assert powers(connection) == []


def test_a_developer_builds_in_schemas_of_its_own_only(people: Settings) -> None:
    allowed = [
        "create schema dana_marts",
        "create table dana_marts.students as select * from raw.students",
        "select from landing.files, linking.decisions, publishing.measure_history",
        "select from policy.suppression, crosswalks.codes",
    ]
    forbidden = [
        *(
            statement.format(table)
            for table in (
                "next_marts.dim_students", "marts.dim_students", "marts_public.rpt_outcome_gaps",
                "district_clairton.dim_students", "identity.int_identity_assignments",
                "policy.suppression", "crosswalks.codes", "identity.match_weights",
                "publishing.runs", "publishing.run_relations", "linking.decisions",
                "privacy.disclosures", "privacy.pseudonym_key", "raw.students",
            )
            for statement in (
                "insert into {} default values", "delete from {}", "drop table {}",
                "create trigger t before insert on {} execute function tsvector_update_trigger()",
                "create index on {} ((1))", "alter table {} enable row level security",
            )
        ),
        *(
            f"create table {schema}.mine ()"
            for schema in ("next_marts", "marts", "policy", "identity", "functions",
                           *LEDGER_SCHEMAS, "raw", "public")
        ),
        "select key from privacy.pseudonym_key",
        "select from identity.pseudonyms",
        "select from marts.dim_students",
        "select publishing.roll_back()",
        "create or replace function functions.valid_ssn(text) returns text "
        "language sql as 'select $1'",
        "set role outcomes_builder",
    ]  # fmt: skip
    with login(people, "dana") as developer:
        for statement in allowed:
            developer.execute(statement.encode())
        for statement in forbidden:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                developer.execute(statement.encode())
                pytest.fail(statement)


def test_a_build_refuses_tables_of_others_in_its_schemas(
    people: Settings, connection: psycopg.Connection
) -> None:
    """A developer may make the schemas that a build makes later."""
    run_id = pretend_build(connection)
    with login(people, "dana") as developer:
        developer.execute(
            "create schema previous_marts; create table previous_marts.dim_students (a int); "
            "grant all on schema previous_marts to outcomes_builder; "
            "grant all on previous_marts.dim_students to outcomes_builder"
        )
    with pytest.raises(
        psycopg.errors.RaiseException, match=r"previous_marts\.dim_students belongs to dana"
    ):
        pretend_build(connection)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="previous_marts"):
        publish(connection, run_id)
    connection.execute("alter table marts.dim_dates owner to dana")
    connection.execute("drop schema previous_marts cascade")
    with pytest.raises(psycopg.errors.RaiseException, match=r"marts\.dim_dates is not a table of"):
        publish(connection, run_id)


def test_no_session_looks_into_a_schema_of_its_logins_name(
    people: Settings, connection: psycopg.Connection
) -> None:
    """A developer could put functions there, and PostgreSQL's default looks there first."""
    with login(people, "dana") as developer:
        developer.execute(f"create schema {people.user}; create schema {BUILDER}")
        assert developer.execute("select current_schemas(false)").fetchone() == (["public"],)
    with login(people, "nightly") as builder, connect(people) as owner:
        for opened in (builder, owner):
            assert opened.execute("select current_schemas(false)").fetchone() == (["public"],)
    unpinned = connection.execute(
        """
        select oid::regprocedure from pg_proc
        where
            pronamespace::regnamespace::text = any(%s)
            and not coalesce('search_path=""' = any(proconfig), false)
        """,
        [list(LEDGER_SCHEMAS)],
    ).fetchall()
    assert unpinned == []


def test_a_login_connects_to_its_own_database_only(
    people: Settings, empty: Settings, connection: psycopg.Connection
) -> None:
    make_login(connection, "ana", PASSWORD, ANALYST)
    with cloned(empty, "another_warehouse") as another:
        with connect(another) as owner:
            apply_access(owner, DISTRICTS)
        login(people, "ana").close()
        with pytest.raises(OutcomesError, match="permission denied for database"):
            login(another, "ana")
        # Earlier releases let the roles connect, to every warehouse of the server.
        with connect(another) as owner:
            owner.execute("grant connect on database another_warehouse to outcomes_public")
            changes = apply_access(owner, DISTRICTS)
        assert "granted connect on database another_warehouse to ana" in changes
        assert "revoked connect on database another_warehouse from outcomes_public" in changes
        login(another, "ana").close()
