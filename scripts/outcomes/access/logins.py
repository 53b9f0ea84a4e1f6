"""Logins for people: members of one of the warehouse's roles."""

from __future__ import annotations

import psycopg
from psycopg import sql

from outcomes.access.roles import BUILDER, LOADER
from outcomes.errors import OutcomesError

_RESERVED = ("none", "public")


def require_free(connection: psycopg.Connection, name: str, role: str) -> None:
    """Whether a login of that name can be made, before anybody is asked for a password.

    Raises:
        OutcomesError: the name is taken or no name, or the role is not made.
    """
    if not name or len(name.encode()) > 63 or name.startswith("pg_") or name in _RESERVED:
        raise OutcomesError(
            f"{name!r} cannot be the name of a login. Expected 1 to 63 bytes that do not begin "
            "with pg_, and no word of PostgreSQL's own."
        )
    if not _exists(connection, role):
        raise OutcomesError(
            f"There is no role {role} yet. Run `outcomes access apply`, then `outcomes build`."
        )
    if _exists(connection, name):
        raise OutcomesError(
            f"There is a role {name} already. Choose another name, or give it another password "
            rf"in psql: \password {name}"
        )


def make_login(connection: psycopg.Connection, name: str, role: str, password: str) -> None:
    """Make a login that has the rights of a role, and no others.

    The password leaves this process as a SCRAM verifier, so it stands in no log.

    Raises:
        OutcomesError: whoever runs this may not make logins.
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
                # What is made belongs to the role, so that whoever is next can go on.
                connection.execute(
                    sql.SQL("alter role {} set role to {}").format(login, sql.Identifier(role))
                )
    except psycopg.errors.InsufficientPrivilege as error:
        raise OutcomesError(
            f"{connection.info.user} may not make logins: {error.diag.message_primary}. Run this "
            "as whoever ran `outcomes access apply`, or as a superuser."
        ) from None


def readable_schemas(connection: psycopg.Connection, role: str) -> list[str]:
    """The schemas in which a role reads something."""
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


def _exists(connection: psycopg.Connection, role: str) -> bool:
    query = "select from pg_roles where rolname = %s"
    return connection.execute(query, [role]).fetchone() is not None
