"""Logins: members of the warehouse's roles, for people and for single commands of the owner."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count

import psycopg
from psycopg import sql

from outcomes.access.roles import BUILDER, LOADER, role_exists
from outcomes.config import Settings, load_settings
from outcomes.errors import OutcomesError
from outcomes.queries import query
from outcomes.warehouse.connection import connect

_RESERVED = ("none", "public")


def require_free(connection: psycopg.Connection, name: str, role: str) -> None:
    """Check that a login can be created, before asking for a password.

    Raises:
        OutcomesError: the name is taken or invalid, or the role does not exist.
    """
    if not name or len(name.encode()) > 63 or name.startswith("pg_") or name in _RESERVED:
        raise OutcomesError(
            f"{name!r} cannot be the name of a login. Expected 1 to 63 bytes that do not begin "
            "with pg_, and no word of PostgreSQL's own."
        )
    if not role_exists(connection, role):
        raise OutcomesError(
            f"The role {role} does not exist. Run `outcomes access apply`, then `outcomes build`."
        )
    if role_exists(connection, name):
        raise OutcomesError(
            f"A role {name} exists already. Choose another name, or change its password in psql: "
            rf"\password {name}"
        )


def make_login(connection: psycopg.Connection, name: str, password: str, *roles: str) -> None:
    """Create a login with the rights of roles, and no others, in this database only.

    Roles belong to the whole server, so the login, not its roles, may connect to the database.
    The password leaves this process only as a SCRAM verifier, so no log can hold it.

    Raises:
        OutcomesError: the current login may not create logins.
    """
    verifier = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    login = sql.Identifier(name)
    try:
        with connection.transaction():
            connection.execute(
                sql.SQL("create role {} login password {} in role {}").format(
                    login, sql.Literal(verifier), sql.SQL(", ").join(map(sql.Identifier, roles))
                )
            )
            connection.execute(
                sql.SQL("grant connect on database {} to {}").format(
                    sql.Identifier(connection.info.dbname), login
                )
            )
            if roles in ((LOADER,), (BUILDER,)):
                # New objects belong to the role, so that any member can replace them.
                connection.execute(
                    sql.SQL("alter role {} set role to {}").format(login, sql.Identifier(*roles))
                )
    except psycopg.errors.InsufficientPrivilege as error:
        raise OutcomesError(
            f"{connection.info.user} may not create logins: {error.diag.message_primary}. Use the "
            "login that ran `outcomes access apply`, or a superuser."
        ) from None


@contextmanager
def limited_login(settings: Settings, *roles: str) -> Iterator[Settings]:
    """Settings with which a command of the owner's uses what a build made.

    A builder can put a trigger, a view or a function into a place that the owner uses, and it
    would run with the owner's rights. `set role` is no protection: such code can reset it. So
    the owner gets a login with the rights of the roles, which ends with the command. Other
    logins, and the owner of a warehouse without builders, keep their own.
    """
    with connect(settings) as connection:
        if not _is_owner_beside_builders(connection):
            connection.close()
            yield settings
            return
        name, password = _free_name(connection), secrets.token_urlsafe(24)
        _drop_login(connection, name)
        # A new district has no role before `outcomes access apply`.
        make_login(connection, name, password, *(r for r in roles if role_exists(connection, r)))
        try:
            yield replace(settings, user=name, password=password)
        finally:
            # If the connection is lost, the next command drops the login.
            with suppress(psycopg.OperationalError):
                _drop_login(connection, name)


@contextmanager
def connect_as(role: str, settings: Settings | None = None) -> Iterator[psycopg.Connection]:
    """A connection for a command that uses what a build made; see `limited_login`."""
    with (
        limited_login(settings or load_settings(), role) as limited,
        connect(limited) as connection,
    ):
        yield connection


def _is_owner_beside_builders(connection: psycopg.Connection) -> bool:
    # A warehouse of an earlier release lacks the function: the command will say so.
    owner = """
        select
            pg_has_role(nspowner, 'usage')
            and to_regprocedure('publishing.has_builders()') is not null
        from pg_namespace
        where nspname = 'landing'
    """
    if connection.execute(owner.encode()).fetchone() != (True,):
        return False
    return connection.execute("select publishing.has_builders()").fetchone() == (True,)


def _free_name(connection: psycopg.Connection) -> str:
    """The first name that no other command uses; the lock on it ends with the connection.

    A build almost always gets the same name. With another one dbt would parse the project anew.
    """
    for number in count(1):
        row = connection.execute(
            """
            select format('outcomes_command_%%s_%%s', oid, %(number)s::int)
            from pg_database
            where
                datname = current_database()
                and pg_try_advisory_lock(hashtext('outcomes.command'), %(number)s)
            """,
            {"number": number},
        ).fetchone()
        if row:
            return str(row[0])
    raise AssertionError


def _drop_login(connection: psycopg.Connection, name: str) -> None:
    if role_exists(connection, name):
        database = sql.Identifier(connection.info.dbname)
        login = sql.Identifier(name)
        with connection.transaction():
            connection.execute(
                sql.SQL("revoke connect on database {} from {}").format(database, login)
            )
            connection.execute(sql.SQL("drop role {}").format(login))


def readable_schemas(connection: psycopg.Connection, role: str) -> list[str]:
    """The schemas with a table that the role may read."""
    rows = connection.execute(
        query("outcomes.access", "readable_schemas"),
        {"role": role},
    )
    return [schema for (schema,) in rows]
