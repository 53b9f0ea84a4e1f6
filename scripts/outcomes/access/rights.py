"""Whether the login has the rights for a command, before the command begins.

Otherwise a week would land and then not build, and a purge would delete rows and then stop.
"""

from __future__ import annotations

import psycopg

from outcomes.access.roles import BUILDER, BUILT_SCHEMAS, LOADER, builds_as, role_exists
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.queries import query
from outcomes.warehouse.tables import owner_of_landing, require_release


def require_week(connection: psycopg.Connection, settings: Settings) -> None:
    """Check that the login can land, build and publish.

    Raises:
        OutcomesError: rights are missing, or the pseudonyms' key; with what to do.
    """
    missing = []
    owner = owner_of_landing(connection)
    if owner and not _is_true(connection, "select pg_has_role(%s, 'set')", owner):
        if not role_exists(connection, LOADER):
            missing.append(_grant(connection, owner))
        elif not _is_true(connection, "select pg_has_role(%s, 'usage')", LOADER):
            missing.append(_grant(connection, LOADER))
    _require(connection, "land and build", missing + _missing_to_build(connection))
    require_build(connection, settings)


def require_build(connection: psycopg.Connection, settings: Settings) -> None:
    """Check that the login can build and publish.

    Raises:
        OutcomesError: rights are missing, or the pseudonyms' key, or the warehouse is of another
            release; with what to do.
    """
    _require(connection, "build", _missing_to_build(connection))
    if owner_of_landing(connection) is None:
        return
    require_release(connection)
    if settings.pseudonym_key:
        return
    if _is_true(connection, "select bool_or(is_in_environment) from privacy.pseudonym_key"):
        raise OutcomesError(
            "The pseudonyms of this warehouse have a key of yours. Set OUTCOMES_PSEUDONYM_KEY, "
            "from your secret store. Nothing was changed."
        )


def require_purge(connection: psycopg.Connection, settings: Settings) -> None:
    """Check that the login can destroy rows in tables, statistics and log, and build.

    Raises:
        OutcomesError: rights are missing, or the pseudonyms' key; with what to do.
    """
    missing = _missing_to_build(connection)
    # The owner of a database may rewrite all its tables, and its statistics.
    for owner in (owner_of_landing(connection), _owner_of_database(connection)):
        if not owner or _is_true(connection, "select pg_has_role(%s, 'usage')", owner):
            continue
        if _is_true(connection, "select pg_has_role(%s, current_user, 'member')", owner):
            raise OutcomesError(
                f"{connection.info.user} may not purge. Nothing was changed. Use the login "
                f"{owner}, which owns the warehouse."
            )
        missing.append(_grant(connection, owner))
    # The second shows whether other sessions still see the deleted rows.
    for role in ("pg_checkpoint", "pg_read_all_stats"):
        if not _is_true(connection, "select pg_has_role(%s, 'usage')", role):
            missing.append(_grant(connection, role))
    for function in ("pg_ls_waldir()", "pg_switch_wal()"):
        if not _is_true(connection, "select has_function_privilege(%s, 'execute')", function):
            missing.append(_grant_to_login(connection, f"execute on function {function}"))
    _require(connection, "purge", missing)
    require_build(connection, settings)


def require_access(connection: psycopg.Connection) -> None:
    """Check that the login can make the roles, and give them what was built.

    Raises:
        OutcomesError: rights are missing; with what to do.
    """
    missing = []
    if not _is_true(
        connection,
        "select rolsuper or rolcreaterole from pg_roles where rolname = current_user",
    ):
        missing.append(f"alter role {_quoted(connection, connection.info.user)} createrole")
    groups = connection.execute(
        """
        select rolname from pg_roles
        where
            (rolname = 'pg_read_all_stats' or rolname like 'outcomes\\_%' and not rolcanlogin)
            and not pg_has_role(oid, 'usage with admin option')
        order by 1
        """
    ).fetchall()
    if groups:
        missing.append(_grant(connection, *(group for (group,) in groups)) + " with admin option")
    for owner in (owner_of_landing(connection), _owner_of_database(connection)):
        if owner and not _is_true(connection, "select pg_has_role(%s, 'set')", owner):
            missing.append(_grant(connection, owner))
    _require(connection, "make the roles", missing)


def _missing_to_build(connection: psycopg.Connection) -> list[str]:
    """The statements that would let the login build.

    Raises:
        OutcomesError: the builders, as whom it builds, do not own everything.
    """
    acting = builds_as(connection)
    schemas = [f"{beside}{name}" for beside in ("", "next_", "previous_") for name in BUILT_SCHEMAS]
    owners = connection.execute(
        query("outcomes.access", "owners_of_built"),
        {"schemas": schemas, "acting": acting},
    ).fetchall()
    if owners and acting == BUILDER:
        raise OutcomesError(
            f"What builds replace belongs to {', '.join(name for (name,) in owners)}, not to "
            f"{BUILDER}. Nothing was changed. Run `outcomes access apply`, which gives it away."
        )
    missing = [_grant(connection, owner) for (owner,) in owners]
    if not _is_true(
        connection, "select has_database_privilege(%s, current_database(), 'create')", acting
    ):
        database = _quoted(connection, connection.info.dbname)
        missing.append(_grant_to_login(connection, f"create on database {database}"))
    return missing


def _owner_of_database(connection: psycopg.Connection) -> str:
    [(owner,)] = connection.execute(
        "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
    ).fetchall()
    return str(owner)


def _grant(connection: psycopg.Connection, *roles: str) -> str:
    return _grant_to_login(connection, ", ".join(_quoted(connection, role) for role in roles))


def _grant_to_login(connection: psycopg.Connection, what: str) -> str:
    return f"grant {what} to {_quoted(connection, connection.info.user)}"


def _quoted(connection: psycopg.Connection, name: str) -> str:
    [(quoted,)] = connection.execute("select quote_ident(%s)", [name]).fetchall()
    return str(quoted)


def _is_true(connection: psycopg.Connection, query: str, *parameters: str) -> bool:
    return connection.execute(query.encode(), parameters).fetchone() == (True,)


def _require(connection: psycopg.Connection, what: str, missing: list[str]) -> None:
    if missing:
        raise OutcomesError(
            f"{connection.info.user} may not {what}. Nothing was changed. Use a login that may, "
            f"or let a superuser run in the database {connection.info.dbname}: "
            f"{'; '.join(dict.fromkeys(missing))};"
        )
