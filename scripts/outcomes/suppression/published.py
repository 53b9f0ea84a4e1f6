"""The gaps as any reader sees them; the audit knows nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from psycopg import sql

ALL = "all"
MEANS = frozenset({"attendance_rate", "gpa"})


class Unit(NamedTuple):
    """Students who are published together: a district, or a group of its students."""

    district_id: str
    group_type: str
    group_value: str


@dataclass(frozen=True)
class Rules:
    """The policy of suppression, as far as the audit needs it."""

    smallest_published_count: int
    narrowest_interval: int


@dataclass(frozen=True)
class PublishedGap:
    """One row of the public gaps; hidden where there are no counts."""

    school_year: int
    unit: Unit
    program_group: str
    involvement: str
    measure: str
    n_involved: int | None
    n_not_involved: int | None
    value_involved: float | None
    value_not_involved: float | None
    is_suppressed: bool
    is_coded: bool

    def __str__(self) -> str:
        """The row's key, for people."""
        parts = [str(self.school_year), *self.unit[:1]]
        if self.unit.group_type != ALL:
            parts.append(f"{self.unit.group_type} {self.unit.group_value}")
        return " · ".join([*parts, self.program_group, self.involvement, self.measure])


def read_published_gaps(connection: psycopg.Connection, schema: str) -> list[PublishedGap]:
    """Read every published gap, of everybody and of groups of students."""
    query = sql.SQL(
        """
        select
            school_year, district_id, 'all', 'all', program_group, involvement, measure,
            n_involved, n_not_involved, value_involved, value_not_involved,
            is_suppressed, is_coded
        from {schema}.rpt_outcome_gaps
        union all
        select
            school_year, district_id, group_type, group_value, program_group, involvement,
            measure, n_involved, n_not_involved, value_involved, value_not_involved,
            is_suppressed, is_coded
        from {schema}.rpt_outcome_gaps_by_group
        """
    ).format(schema=sql.Identifier(schema))
    return [
        PublishedGap(row[0], Unit(*row[1:4]), *row[4:])
        for row in connection.execute(query).fetchall()
    ]
