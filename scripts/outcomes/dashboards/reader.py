"""Reads the warehouse as the role that a page is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.numeric import FloatLoader

from outcomes.access.disclosures import record_export
from outcomes.access.roles import ANALYST, CASEWORKER, PUBLIC, STEWARD
from outcomes.queries import query
from outcomes.warehouse.connection import connect

# A district's role stands for those of all districts.
DISTRICT = "outcomes_district_"

# Where each role reads, in the order in which names are looked up: a district's own tables and
# those that a steward reads of all districts have the same names.
_SCHEMAS = {
    PUBLIC: ("marts_public", "marts", "policy"),
    ANALYST: ("marts_pseudonymized", "marts", "policy"),
    CASEWORKER: ("marts", "policy"),
    STEWARD: ("marts_district", "quality", "identity", "marts", "policy"),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """What a query found; its columns have names also if there is no row."""

    columns: tuple[str, ...]
    rows: Sequence[Row]


@dataclass
class Reader:
    """A connection of a role, which only reads."""

    connection: psycopg.Connection
    role: str
    # Who reads, for the record of disclosures.
    party: str

    def rows(self, statement: bytes, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Run a statement of `queries/`."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(statement, parameters or {})
            columns = tuple(column.name for column in cursor.description or [])
            return Rows(columns, cursor.fetchall())

    def disclose(self, what: str, rows: Sequence[Row]) -> None:
        """Enter rows about single students into the record, before they are shown.

        What a district or caseworker may read, the publication has entered for its role. A
        steward reads everything, so the record says what a steward looked at.
        """
        if self.role != STEWARD:
            return
        counts: dict[str, int] = {}
        for row in rows:
            counts[row["district_id"]] = counts.get(row["district_id"], 0) + 1
        record_export(self.connection, self.party, "data steward", what, counts)


def roles_of_login() -> list[str]:
    """The roles of the warehouse that the login may take."""
    with connect() as connection:
        return [role for (role,) in connection.execute(query("outcomes.dashboards", "roles"))]


def role_for(wanted: Sequence[str], held: Sequence[str]) -> str | None:
    """The first role of those that a page is for which the login may take."""
    found = (
        role
        for one in wanted
        for role in held
        if role == one or (one == DISTRICT and role.startswith(DISTRICT))
    )
    return next(found, None)


@contextmanager
def reading_as(role: str, party: str) -> Iterator[Reader]:
    """Read as a role, in one transaction, so that a page is of one publication."""
    schemas = _SCHEMAS.get(role) or (role.removeprefix("outcomes_"), "marts", "policy")
    path = sql.SQL(", ").join(map(sql.Identifier, schemas))
    with connect() as connection, connection.transaction():
        connection.execute(sql.SQL("set transaction isolation level repeatable read"))
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("set local search_path to {}").format(path))
        connection.adapters.register_loader("numeric", FloatLoader)
        yield Reader(connection, role, party)
