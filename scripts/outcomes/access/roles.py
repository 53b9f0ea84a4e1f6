"""The roles of the warehouse, and their grants outside of dbt.

dbt grants the tables that it makes (`grants` in dbt_project.yml). This module creates the
roles and grants schemas, raw tables and the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from outcomes.errors import OutcomesError
from outcomes.feeds import raw_feeds
from outcomes.queries import query
from outcomes.warehouse.tables import create_tables, owner_of_landing

LOADER = "outcomes_loader"
BUILDER = "outcomes_builder"
STEWARD = "outcomes_steward"
ANALYST = "outcomes_analyst"
CASEWORKER = "outcomes_caseworker"
PUBLIC = "outcomes_public"
DEVELOPER = "outcomes_developer"

ROLES = {
    LOADER: "Lands deliveries: appends to raw and the ledger, reads only what it joins.",
    BUILDER: "Builds: reads raw and the ledger, owns everything that dbt makes.",
    STEWARD: "Reviews links and deliveries: reads identified data.",
    ANALYST: "Reads pseudonymized records of students.",
    CASEWORKER: "Reads the school records of children in the agency's charge.",
    PUBLIC: "Reads perturbed figures about groups of students.",
    DEVELOPER: "Develops: reads raw and the ledger, owns the schemas that it builds.",
}

# The schemas that dbt and publications fill, with their readers; the districts' schemas are
# added. Landing creates `raw` and `landing`.
BUILT_SCHEMAS: dict[str, tuple[str, ...]] = {
    "staging": (STEWARD,),
    "deliveries": (STEWARD,),
    "identity": (STEWARD,),
    "intermediate": (),
    "analysis": (),
    "marts": (PUBLIC,),
    "marts_district": (STEWARD,),
    "marts_pseudonymized": (ANALYST,),
    "marts_public": (PUBLIC,),
    "quality": (STEWARD,),
    "crosswalks": (PUBLIC,),
    "policy": (PUBLIC,),
    "functions": (),
}

_READ = dict.fromkeys((BUILDER, DEVELOPER, STEWARD), ("select",))

# The ledger by schema and table, with the rights of each role. Landing appends; it deletes only
# its entries about a file that is tried again.
LEDGER: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "landing": {
        "files": {LOADER: ("select", "insert", "update", "delete"), **_READ},
        "joined_rows": {LOADER: ("select", "insert")},
        "rejected_rows": {LOADER: ("insert",), **_READ},
        "value_issues": {LOADER: ("insert",), **_READ},
        "partners": {LOADER: ("select", "insert", "delete"), **_READ},
        "contract_objects": {LOADER: ("select", "insert", "delete"), **_READ},
        "replaced_objects": {LOADER: ("select", "insert", "delete"), **_READ},
        "contract_calendars": {LOADER: ("select", "insert", "delete"), **_READ},
    },
    "publishing": {
        "runs": {**_READ, BUILDER: ("select", "insert", "update")},
        "run_relations": {BUILDER: ("select", "insert", "update"), STEWARD: ("select",)},
        "redefined_relations": {BUILDER: ("select", "delete")},
        "measure_history": {BUILDER: ("select", "insert"), DEVELOPER: ("select",)},
        "weeks": {BUILDER: ("select", "insert"), STEWARD: ("select",)},
    },
    # The builder publishes, and so releases school years.
    "releases": {
        # Stewards see whether a revision waits: it is in what `outcomes status` says.
        "school_years": {**_READ, BUILDER: ("select", "insert", "update")},
        "outcome_gaps": {BUILDER: ("select", "insert"), DEVELOPER: ("select",)},
    },
    "linking": {"decisions": {**_READ, STEWARD: ("select", "insert")}},
    "privacy": {
        "pseudonym_key": {BUILDER: ("select", "update")},
        "disclosures": {**_READ, **dict.fromkeys((BUILDER, STEWARD), ("select", "insert"))},
        "purges": dict.fromkeys((BUILDER, STEWARD), ("select",)),
    },
    "warehouse": {
        "migrations": dict.fromkeys((LOADER, BUILDER, STEWARD, DEVELOPER), ("select",)),
        "upgrades": {},
    },
}

# Landing may not delete from raw. This function does it, for joined files only.
_TAKE_BACK = sql.SQL("grant execute on function landing.take_back_joined(bigint) to {}").format(
    sql.Identifier(LOADER)
)


@dataclass(frozen=True, order=True)
class Privilege:
    """A privilege of a role on an object."""

    role: str
    privilege: str
    kind: str
    name: tuple[str, ...]

    def __str__(self) -> str:
        """In words."""
        return f"{self.privilege} on {self.kind} {'.'.join(self.name)} to {self.role}"


def district_role(district_id: str) -> str:
    """The role of a district's staff, which reads the schema `district_<id>`.

    Raises:
        OutcomesError: the id is too long to be part of a role's name.
    """
    role = f"outcomes_district_{district_id}"
    if len(role.encode()) > 63:
        raise OutcomesError(
            f"The role of the district {district_id!r} would have a name of more than 63 bytes, "
            "PostgreSQL's limit. Give the contract a shorter id."
        )
    return role


def role_exists(connection: psycopg.Connection, role: str) -> bool:
    """Whether a role or login exists on this server."""
    query = "select from pg_roles where rolname = %s"
    return connection.execute(query, [role]).fetchone() is not None


def builds_as(connection: psycopg.Connection) -> str:
    """The role as which the login builds.

    That is the builder's, if it may take it: then every builder can replace what was built. On a
    cluster it is the login, because roles cannot log in to the workers (docs/distributed.md).
    """
    [(role,)] = connection.execute(
        query("outcomes.access", "building_role"),
        {"builder": BUILDER},
    ).fetchall()
    return str(role)


def apply_access(connection: psycopg.Connection, districts: Iterable[str]) -> list[str]:
    """Create the roles and their grants, in one transaction; safe to repeat.

    Returns:
        The changes, in words, of which the first is the verb.

    Raises:
        OutcomesError: a role of that name has more rights than a role of the warehouse may have.
    """
    changes: list[str] = []

    def run(statement: sql.Composed, change: str) -> None:
        connection.execute(statement)
        changes.append(change)

    own_roles = {district: district_role(district) for district in districts}
    roles = ROLES | {r: f"Reads the data of {d}'s own students." for d, r in own_roles.items()}
    schemas = BUILT_SCHEMAS | {f"district_{d}": (role,) for d, role in own_roles.items()}
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.access'))")
        former = _own_landing(connection, run)
        create_tables(connection)
        _make_roles(connection, run, roles)
        if former:
            # Who has landed and built until now goes on.
            for role in (LOADER, BUILDER):
                run(
                    sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(former)),
                    f"made {former} a member of {role}",
                )
            connects = Privilege(former, "connect", "database", (connection.info.dbname,))
            run(_statement("grant", connects), f"granted {connects}")
        _make_schemas(connection, run, schemas)
        _let_logins_connect(connection, run, roles)
        _give_privileges(connection, run, roles, schemas)
        _fix_search_path(connection, run)
        connection.execute(_TAKE_BACK)
    return changes


Run = Callable[[sql.Composed, str], None]


def _own_landing(connection: psycopg.Connection, run: Run) -> str | None:
    """Let raw and the ledger belong to one login, which may make roles and logins.

    Returns:
        Their former owner, who may not.
    """
    row = connection.execute(
        "select rolname, rolsuper or rolcreaterole from pg_roles where rolname = %s",
        [owner_of_landing(connection)],
    ).fetchone()
    if row is None:
        return None
    former, may_make_roles = row
    owner = former if may_make_roles else connection.info.user
    schemas = ["raw", *LEDGER]
    foreign = connection.execute(
        "select nspname from pg_namespace "
        "where nspname = any(%s) and pg_get_userbyid(nspowner) <> %s order by 1",
        [schemas, owner],
    ).fetchall()
    for (schema,) in foreign:
        run(
            sql.SQL("alter schema {} owner to {}").format(
                sql.Identifier(schema), sql.Identifier(owner)
            ),
            f"gave the schema {schema} to {owner}",
        )
    _give_away(connection, run, owner, schemas)
    return former if owner != former else None


def _make_roles(connection: psycopg.Connection, run: Run, roles: dict[str, str]) -> None:
    known = {
        name: attributes
        for name, *attributes in connection.execute(
            query("outcomes.access", "existing_roles"),
            [list(roles)],
        )
    }
    for role, comment in roles.items():
        name = sql.Identifier(role)
        is_powerful, can_login, described = known.get(role, (False, False, None))
        if is_powerful or can_login:
            raise OutcomesError(
                f"The role {role} exists and may log in or has rights over the server. Expected "
                "a group without either: rename it or revoke them. Nothing was changed."
            )
        if role not in known:
            run(sql.SQL("create role {}").format(name), f"created the role {role}")
        if described != comment:
            run(
                sql.SQL("comment on role {} is {}").format(name, sql.Literal(comment)),
                f"described the role {role}",
            )
    # A build has to see whether another one is running.
    members = {(BUILDER, "pg_read_all_stats")}
    # Every reader also reads the public tables.
    members |= {(role, PUBLIC) for role in roles if role not in (LOADER, BUILDER, PUBLIC)}
    held = _memberships(connection, roles)
    for member, group in sorted(members - {(member, group) for member, group, _ in held}):
        run(
            sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(member)),
            f"made {member} a member of {group}",
        )
    for member, group, grantor in held:
        if (member, group) not in members:
            run(
                sql.SQL("revoke {} from {} granted by {} cascade").format(
                    *map(sql.Identifier, (group, member, grantor))
                ),
                f"ended the membership of {member} in {group}",
            )


def _memberships(
    connection: psycopg.Connection, roles: Iterable[str]
) -> list[tuple[str, str, str]]:
    """The memberships of the roles: member, group, grantor."""
    return connection.execute(
        """
        select pg_get_userbyid(member), pg_get_userbyid(roleid), pg_get_userbyid(grantor)
        from pg_auth_members
        where pg_get_userbyid(member) = any(%s)
        order by 1, 2, 3
        """,
        [list(roles)],
    ).fetchall()


Schemas = dict[str, tuple[str, ...]]


def _make_schemas(connection: psycopg.Connection, run: Run, schemas: Schemas) -> None:
    """Create the schemas, and make the builder the owner of everything that dbt makes."""
    owner = sql.Identifier(BUILDER)
    row = connection.execute("select pg_has_role(%s, 'set')", [BUILDER]).fetchone()
    if row and not row[0]:
        run(
            sql.SQL("grant {} to current_user").format(owner),
            f"made {connection.info.user} a member of {BUILDER}, to change owners",
        )
    # For each published schema, the one that a build fills and the one kept for a rollback.
    beside = [f"{when}_{schema}" for when in ("next", "previous") for schema in schemas]
    # The next publication drops those of an earlier release.
    published = connection.execute("select distinct schema_name from publishing.run_relations")
    beside += [schema for (schema,) in published if schema not in schemas]
    found = connection.execute(
        "select nspname, pg_get_userbyid(nspowner) from pg_namespace where nspname = any(%s)",
        [[*schemas, *beside]],
    )
    owners: dict[str, str] = dict(found.fetchall())
    for schema in sorted(schemas.keys() - owners.keys()):
        run(
            sql.SQL("create schema {} authorization {}").format(sql.Identifier(schema), owner),
            f"created the schema {schema}",
        )
    for schema in [schema for schema in owners if owners[schema] != BUILDER]:
        run(
            sql.SQL("alter schema {} owner to {}").format(sql.Identifier(schema), owner),
            f"gave the schema {schema} to {BUILDER}",
        )
    _give_away(connection, run, BUILDER, [*schemas, *beside])


def _give_away(connection: psycopg.Connection, run: Run, owner: str, schemas: list[str]) -> None:
    """Make a role the owner of everything in the schemas."""
    foreign = connection.execute(
        query("outcomes.access", "objects_of_others"),
        {"schemas": schemas, "owner": owner},
    ).fetchall()
    for kind, schema, name, arguments in foreign:
        target = sql.Identifier(schema, name)
        signature = sql.SQL("" if arguments is None else f"({arguments})")
        run(
            sql.SQL("alter {} {}{} owner to {}").format(
                sql.SQL(kind), target, signature, sql.Identifier(owner)
            ),
            f"gave the {kind} {schema}.{name} to {owner}",
        )


def _let_logins_connect(connection: psycopg.Connection, run: Run, roles: Iterable[str]) -> None:
    """Let the logins of earlier releases connect, which could do so through their roles."""
    database = connection.info.dbname
    logins = connection.execute(
        query("outcomes.access", "logins_without_connect"),
        [list(roles)],
    ).fetchall()
    for (login,) in logins:
        privilege = Privilege(login, "connect", "database", (database,))
        run(_statement("grant", privilege), f"granted {privilege}")


def _fix_search_path(connection: psycopg.Connection, run: Run) -> None:
    """Let no session look into a schema with its login's name.

    Builders and developers may create schemas, and could put functions of their own into it.
    """
    setting = "search_path=public"
    row = connection.execute(
        """
        select exists (
            select from pg_db_role_setting
            inner join pg_database on setdatabase = pg_database.oid
            where datname = current_database() and setrole = 0 and %s = any(setconfig)
        )
        """,
        [setting],
    ).fetchone()
    if row != (True,):
        run(
            sql.SQL("alter database {} set search_path to public").format(
                sql.Identifier(connection.info.dbname)
            ),
            f"set the database's {setting}",
        )


def _give_privileges(
    connection: psycopg.Connection, run: Run, roles: Iterable[str], schemas: Schemas
) -> None:
    """Grant missing privileges and revoke surplus ones."""
    granted = _granted(connection, schemas)
    # First, because only the holder can revoke a privilege that the holder has granted.
    for privilege, is_grantable in sorted(granted):
        if is_grantable and privilege.kind != "database":
            run(
                _statement("revoke grant option for", privilege, "cascade"),
                f"revoked {privilege.role}'s right to grant {privilege.privilege} "
                f"on {privilege.kind} {'.'.join(privilege.name)}",
            )
    wanted = set(_wanted(connection, schemas))
    held = _held({privilege for privilege, _ in _granted(connection, schemas)}, roles, schemas)
    for privilege in sorted(wanted - held):
        run(_statement("grant", privilege), f"granted {privilege}")
    for privilege in sorted(held - wanted):
        run(_statement("revoke", privilege), f"revoked {privilege}".replace(" to ", " from "))


def _wanted(connection: psycopg.Connection, schemas: Schemas) -> Iterable[Privilege]:
    # A build creates the schemas that it works in. Only single logins may connect (logins.py).
    for role in (BUILDER, DEVELOPER):
        yield Privilege(role, "create", "database", (connection.info.dbname,))
    for role in (LOADER, BUILDER, DEVELOPER):
        yield Privilege(role, "usage", "schema", ("raw",))
    for schema, tables in LEDGER.items():
        for role in {role for rights in tables.values() for role in rights}:
            yield Privilege(role, "usage", "schema", (schema,))
    for schema, readers in schemas.items():
        for role in readers:
            yield Privilege(role, "usage", "schema", (schema,))
    for schema, tables in LEDGER.items():
        for table, rights in tables.items():
            for role, privileges in rights.items():
                for privilege in privileges:
                    yield Privilege(role, privilege, "table", (schema, table))
    for feed in raw_feeds():
        yield Privilege(LOADER, "insert", "table", ("raw", feed))
        # To renew statistics; before PostgreSQL 17 only the owner can.
        if connection.info.server_version >= 170000:
            yield Privilege(LOADER, "maintain", "table", ("raw", feed))
        for role in (BUILDER, DEVELOPER):
            yield Privilege(role, "select", "table", ("raw", feed))


def _held(granted: Iterable[Privilege], roles: Iterable[str], schemas: Schemas) -> set[Privilege]:
    """The managed privileges that the roles and the public have."""
    held = {
        privilege
        for privilege in granted
        if privilege.role in roles
        # Who may connect may create temporary tables.
        or (privilege.role == "public" and privilege.privilege != "temporary")
    }
    own = {schema: (BUILDER, "schema", (schema,)) for schema in schemas}
    # PostgreSQL lists an owner's privileges as soon as it lists somebody else's.
    return {p for p in held if (p.role, p.kind, p.name) != own.get(p.name[0])}


def _granted(connection: psycopg.Connection, schemas: Schemas) -> list[tuple[Privilege, bool]]:
    """All privileges on the managed objects, and whether the holder may grant them."""
    rows = connection.execute(
        query("outcomes.access", "granted_privileges"),
        {"schemas": list(schemas), "ledger": ["raw", *LEDGER]},
    ).fetchall()
    return [
        (Privilege(role, right, kind, tuple(name)), may_hand_on)
        for role, right, kind, name, may_hand_on in rows
    ]


def _statement(verb: str, privilege: Privilege, ending: str = "") -> sql.Composed:
    return sql.SQL("{} {} on {} {} {} {} {}").format(
        sql.SQL(verb),
        sql.SQL(privilege.privilege),
        sql.SQL(privilege.kind),
        sql.Identifier(*privilege.name),
        sql.SQL("to" if verb == "grant" else "from"),
        sql.Identifier(privilege.role),
        sql.SQL(ending),
    )
