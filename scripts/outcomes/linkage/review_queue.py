"""The review queue: pairs with the fields of both records, for a reviewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from psycopg.rows import dict_row

from outcomes.access.disclosures import record_export
from outcomes.linkage.decisions import Pair, standing_decisions


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

    @property
    def pair(self) -> Pair:
        """The two records."""
        return Pair(self.student_key, self.other_record_type, self.other_record_key)

    @property
    def why(self) -> str:
        """The evidence that the reviewer saw, for the record of the decision."""
        return f"{self.reason}: {self.evidence}"


def read_queue(connection: psycopg.Connection) -> list[QueuedPair]:
    """The undecided pairs in the review queue of the last build, the heaviest first."""
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
            queued = QueuedPair(**row, fields=[])
            pairs.setdefault(queued.pair, queued).fields.append(field)
    decided = standing_decisions(connection)
    return [queued for pair, queued in pairs.items() if pair not in decided]


def record_disclosure(
    connection: psycopg.Connection, queue: Iterable[QueuedPair], reviewer: str, how: str
) -> None:
    """Enter the students whom a reviewer sees in the record of disclosures."""
    shown = [queued.student_key for queued in queue]
    shown += [q.other_record_key for q in queue if q.other_record_type == "student"]
    shown += [student for queued in queue for student in queued.also_shown.splitlines()]
    districts = Counter(key.split(":")[0] for key in shown)
    record_export(connection, reviewer, "reviews records of the same child", how, districts)
