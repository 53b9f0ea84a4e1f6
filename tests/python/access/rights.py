"""The rights of every role on every relation: as intended, in one table, and as they are."""

from __future__ import annotations

from fnmatch import fnmatch
from functools import cache

import psycopg

from outcomes.access.roles import ROLES, district_role
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.feeds import raw_feeds

DISTRICTS = district_ids(load_contracts().values())
DISTRICT_ROLES = {district_role(district): district for district in DISTRICTS}
ALL_ROLES = [*ROLES, *DISTRICT_ROLES]
FEEDS = {f"staging.stg_{feed}" for feed in (*raw_feeds(), "client_keys")}
READERS = [role for role in ALL_ROLES if role != "outcomes_builder"]

# Who may do what with which relations: r reads, a appends (inserts), u updates, d deletes, and
# o owns. The first row that fits a relation counts. `<own>` is the district of a district's role,
# `<feed>` a table of raw.
RIGHTS = """
relations                       loader builder steward analyst caseworker district public developer
marts_public.*                    .       o       r       r        r         r       r        r
crosswalks.*                      .       o       r       r        r         r       r        r
policy.*                          .       o       r       r        r         r       r        r
marts.dim_dates                   .       o       r       r        r         r       r        r
marts.dim_districts               .       o       r       r        r         r       r        r
marts.dim_schools                 .       o       r       r        r         r       r        r
marts.publications                .       o       r       r        r         r       r        r
marts.rpt_caseworker_*            .       o       r       .        r         .       .        .
marts.*                           .       o       r       .        .         .       .        .
marts_pseudonymized.*             .       o       .       r        .         .       .        .
marts_district.*                  .       o       r       .        .         .       .        .
district_<own>.*                  .       .       .       .        .         r       .        .
district_*                        .       o       .       .        .         .       .        .
quality.*                         .       o       r       .        .         .       .        .
identity.pseudonyms               .       o       .       .        .         .       .        .
identity.int_crosswalk_services   .       o       .       .        .         .       .        .
identity.int_newest_services      .       o       .       .        .         .       .        .
identity.*                        .       o       r       .        .         .       .        .
staging.stg_<feed>                .       o       .       .        .         .       .        .
staging.*                         .       o       r       .        .         .       .        .
deliveries.int_clients_accepted   .       o       .       .        .         .       .        .
deliveries.int_service_versions   .       o       .       .        .         .       .        .
deliveries.int_services_of_newest_* .       o       .       .        .         .       .        .
deliveries.*                      .       o       r       .        .         .       .        .
intermediate.*                    .       o       .       .        .         .       .        .
analysis.*                        .       o       .       .        .         .       .        .
next_*                            .       o       .       .        .         .       .        .
previous_*                        .       o       .       .        .         .       .        .
dbt_test__audit.*                 .       o       .       .        .         .       .        .
raw.*                             a       r       .       .        .         .       .        r
landing.files                   raud      r       r       .        .         .       .        r
landing.rejected_rows             a       r       r       .        .         .       .        r
landing.value_issues              a       r       r       .        .         .       .        r
landing.joined_rows              ra       .       .       .        .         .       .        .
landing.partners                rad       r       r       .        .         .       .        r
landing.contract_objects        rad       r       r       .        .         .       .        r
landing.contract_calendars      rad       r       r       .        .         .       .        r
landing.replaced_objects        rad       r       r       .        .         .       .        r
landing.migrations                .       .       .       .        .         .       .        .
linking.decisions                 .       r      ra       .        .         .       .        r
privacy.disclosures               .      ra      ra       .        .         .       .        r
privacy.purges                    .       r       r       .        .         .       .        .
privacy.pseudonym_key             .      ru       .       .        .         .       .        .
publishing.runs                   .     rau       r       .        .         .       .        r
publishing.run_relations          .     rau       r       .        .         .       .        .
publishing.weeks                  .      ra       r       .        .         .       .        .
publishing.redefined_relations    .      rd       .       .        .         .       .        .
publishing.measure_history        .      ra       .       .        .         .       .        r
releases.school_years             .     rau       r       .        .         .       .        r
releases.outcome_gaps             .      ra       .       .        .         .       .        r
warehouse.migrations              r       r       r       .        .         .       .        r
warehouse.upgrades                .       .       .       .        .         .       .        .
"""
HEADER, *ROWS = [line.split() for line in RIGHTS.strip().splitlines()]


@cache
def row_of(role: str, relation: str) -> int:
    """The row of the table that counts for a role's rights on a relation."""
    name = relation
    if role in DISTRICT_ROLES:
        name = name.replace(f"district_{DISTRICT_ROLES[role]}.", "district_<own>.")
    if name in FEEDS:
        name = "staging.stg_<feed>"
    for number, (pattern, *_) in enumerate(ROWS):
        if fnmatch(name, pattern):
            return number
    raise AssertionError(f"{relation} has no row in the table of rights")


@cache
def rights(role: str, relation: str) -> str:
    """What the table says."""
    column = "district" if role in DISTRICT_ROLES else role.removeprefix("outcomes_")
    return ROWS[row_of(role, relation)][HEADER.index(column)].strip(".")


def may_read(role: str, relation: str) -> bool:
    return bool(set(rights(role, relation)) & set("ro"))


def relations_of(connection: psycopg.Connection) -> list[str]:
    return [
        name
        for (name,) in connection.execute(
            """
            select nspname || '.' || relname
            from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
            where
                relkind in ('r', 'v', 'm', 'p', 'f')
                and nspname not like 'pg\\_%' and nspname <> 'information_schema'
            order by 1
            """
        )
    ]


def held_rights(connection: psycopg.Connection) -> dict[tuple[str, str], str]:
    """What the catalog says, of every role and relation, columns and memberships included."""
    return {
        (role, relation): "o" if is_owner else letters
        for role, relation, is_owner, letters in connection.execute(
            """
            select
                rolname, nspname || '.' || relname, relowner = pg_roles.oid,
                -- t is no right that a role may have.
                concat(
                    case when has_any_column_privilege(pg_roles.oid, pg_class.oid, 'select')
                        then 'r' end,
                    case when has_any_column_privilege(pg_roles.oid, pg_class.oid, 'insert')
                        then 'a' end,
                    case when has_any_column_privilege(pg_roles.oid, pg_class.oid, 'update')
                        then 'u' end,
                    case when has_table_privilege(pg_roles.oid, pg_class.oid, 'delete')
                        then 'd' end,
                    case when has_table_privilege(
                        pg_roles.oid, pg_class.oid, 'truncate, trigger, references'
                    ) then 't' end
                )
            from pg_class
            inner join pg_namespace on relnamespace = pg_namespace.oid
            cross join pg_roles
            where
                relkind in ('r', 'v', 'm', 'p', 'f')
                and nspname not like 'pg\\_%%' and nspname <> 'information_schema'
                and rolname = any(%s)
                and has_schema_privilege(pg_roles.oid, nspname, 'usage')
            """,
            [ALL_ROLES],
        )
    }


def odd_relations(connection: psycopg.Connection) -> set[tuple[str, str, str]]:
    """Roles with other rights on a relation than in the table."""
    held = held_rights(connection)
    return {
        (role, relation, held.get((role, relation), ""))
        for role in ALL_ROLES
        for relation in relations_of(connection)
        if held.get((role, relation), "") != rights(role, relation)
    }


def text_of(connection: psycopg.Connection, relation: str) -> set[str]:
    """All values of a relation that the current role sees, as text."""
    with connection.cursor().copy(f"copy {relation} to stdout".encode()) as copy:
        return {value for row in copy for value in bytes(row).decode().rstrip("\n").split("\t")}
