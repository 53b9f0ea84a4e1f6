"""Logins for people: members of one of the warehouse's roles."""

from __future__ import annotations

import psycopg
from psycopg import sql

from outcomes.access.roles import BUILDER, LOADER, role_exists
from outcomes.errors import OutcomesError

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


def make_login(connection: psycopg.Connection, name: str, role: str, password: str) -> None:
    """Create a login with the rights of a role, and no others.

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
                    login, sql.Literal(verifier), sql.Identifier(role)
                )
            )
            if role in (LOADER, BUILDER):
                # New objects belong to the role, so that any member can replace them.
                connection.execute(
                    sql.SQL("alter role {} set role to {}").format(login, sql.Identifier(role))
                )
    except psycopg.errors.InsufficientPrivilege as error:
        raise OutcomesError(
            f"{connection.info.user} may not create logins: {error.diag.message_primary}. Use the "
            "login that ran `outcomes access apply`, or a superuser."
        ) from None


def readable_schemas(connection: psycopg.Connection, role: str) -> list[str]:
    """The schemas with a table that the role may read."""
    rows = connection.execute(
        """
        select distinct nspname::text
        from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
        where
            relkind = 'r'
            and nspname not like 'pg\\_%%' and nspname <> 'information_schema'
            and has_schema_privilege(%(role)s, nspname, 'usage')
            and has_table_privilege(%(role)s, pg_class.oid, 'select')
        order by 1
        """,
        {"role": role},
    )
    return [schema for (schema,) in rows]
