"""The review queue: pairs that wait for a reviewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from psycopg.rows import dict_row

from outcomes.access.disclosures import record_export
from outcomes.linkage.decisions import (
    Pair,
    read_decisions,
    standing_decisions,
    unsure_reviewers,
)


class Field(NamedTuple):
    """A field of both records, as in `match_review_fields`.

    `linked` is null where no client record is linked to the student yet.
    """

    position: int
    field: str
    student: str
    other: str
    linked: str | None


@dataclass(frozen=True)
class QueuedPair:
    """A pair in the review queue: a row of `match_review_details`, and its fields.

    These are personal data: they are shown to the reviewer and not stored.
    """

    student_key: str
    other_record_type: str
    other_record_key: str
    person_id: str
    other_record_count: int
    match_weight: float
    match_probability: float
    reason: str
    evidence: str
    runner_up: str | None
    runner_up_weight: float | None
    household: str | None
    also_shown: str
    student_listed_on: str | None
    other_listed_on: str | None
    other_served_on: str | None
    fields: list[Field]
    # Reviewers who were unsure about it.
    unsure: frozenset[str]

    @property
    def pair(self) -> Pair:
        """The two records."""
        return Pair(self.student_key, self.other_record_type, self.other_record_key)

    @property
    def why(self) -> str:
        """The evidence that the reviewer saw, for the record of the decision."""
        return f"{self.reason}: {self.evidence}"

    @property
    def share(self) -> float | None:
        """The share of true matches among such pairs; it was not measured of two students."""
        return self.match_probability if self.other_record_type == "client" else None

    @property
    def districts(self) -> list[str]:
        """The districts of its students."""
        return sorted({key.split(":")[0] for key in self.pair.students})

    @property
    def students(self) -> list[str]:
        """The keys of all students whom it shows."""
        return [*self.pair.students, *self.also_shown.splitlines()]


class Counts(NamedTuple):
    """How many pairs the last build queued; of these, how many are not decided yet.

    `unsure` are those that wait for a second reviewer.
    """

    queued: int
    waiting: int
    unsure: int


def count_queue(connection: psycopg.Connection) -> Counts:
    """Count the queue, as `read_queue` lists it for somebody who has seen none of it."""
    decisions = read_decisions(connection)
    unsure = unsure_reviewers(decisions)
    queued = {
        Pair(*row)
        for row in connection.execute(
            "select student_key, other_record_type, other_record_key "
            "from identity.match_review_details"
        )
    }
    waiting = queued - standing_decisions(decisions).keys()
    return Counts(len(queued), len(waiting), sum(bool(unsure.get(pair)) for pair in waiting))


def read_queue(connection: psycopg.Connection, reviewer: str | None = None) -> list[QueuedPair]:
    """The undecided pairs in the review queue of the last build, the heaviest first.

    A pair of which the reviewer was unsure is left to others.
    """
    decisions = read_decisions(connection)
    standing, unsure = standing_decisions(decisions), unsure_reviewers(decisions)
    pairs: dict[Pair, QueuedPair] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        # In one query, because a build may publish at any time.
        for row in cursor.execute(
            """
            select * from identity.match_review_details
            inner join identity.match_review_fields
                using (student_key, other_record_type, other_record_key)
            order by match_weight desc, student_key, other_record_key, position
            """
        ):
            field = Field(*(row.pop(name) for name in Field._fields))
            pair = Pair(*(row[name] for name in Pair.__dataclass_fields__))
            if pair not in pairs:
                pairs[pair] = QueuedPair(**row, fields=[], unsure=frozenset(unsure.get(pair, ())))
            pairs[pair].fields.append(field)
    return [
        queued
        for pair, queued in pairs.items()
        if reviewer not in queued.unsure and pair not in standing
    ]


def record_disclosure(
    connection: psycopg.Connection, shown: Iterable[str], reviewer: str, how: str
) -> None:
    """Enter the students whom a reviewer sees, by their keys, in the record of disclosures."""
    districts = Counter(key.split(":")[0] for key in shown)
    record_export(connection, reviewer, "reviews records of the same child", how, districts)
