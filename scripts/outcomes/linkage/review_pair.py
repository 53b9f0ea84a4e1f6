"""What a reviewer sees of a pair, in the queue or not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import psycopg
from psycopg.rows import class_row

from outcomes.linkage.decisions import (
    Pair,
    Recorded,
    read_decisions,
    standing_decisions,
    unsure_reviewers,
)
from outcomes.linkage.differences import ComparedField, compare, last_four
from outcomes.linkage.explain import Candidate, Step, find_candidates, find_steps
from outcomes.linkage.review_queue import QueuedPair
from outcomes.queries import query

_REASONS = {"link": "It is linked", "review": "Not certain enough", "none": "It is not linked"}


@dataclass(frozen=True)
class PairRecord:
    """A record of a pair: of its student, of the other side, or linked to the student already.

    Of a social security number, only the last four digits may be shown.
    """

    side: str
    record_type: str
    record: str
    last_name: str | None
    first_name: str | None
    middle_name: str | None
    suffix: str | None
    birth_date: str | None
    gender: str | None
    ssn: str | None
    street: str | None
    city: str | None
    zip: str | None


FIELDS = tuple(PairRecord.__dataclass_fields__)[3:]


@dataclass(frozen=True)
class ReviewedPair:
    """A pair with its records, the evidence, and what was decided before, oldest first."""

    pair: Pair
    # None if linking compares the two no longer.
    candidate: Candidate | None
    steps: list[Step]
    records: list[PairRecord]
    queued: QueuedPair | None
    decisions: list[Recorded]

    @property
    def fields(self) -> list[ComparedField]:
        """The fields that a side has, or a record that is linked already."""
        compared = (
            compare(field, *(self.texts(side, field) for side in ("student", "other")))
            for field in FIELDS
        )
        return [
            field for field in compared if field.student or field.other or self.linked(field.field)
        ]

    def texts(self, side: str, field: str) -> list[str | None]:
        """The values of a field, record by record."""
        return [getattr(record, field) for record in self.of(side)]

    def linked(self, field: str) -> list[str]:
        """The spellings of a field in the records that are linked already."""
        texts = dict.fromkeys(filter(None, self.texts("linked", field)))
        return list(dict.fromkeys(map(last_four, texts))) if field == "ssn" else list(texts)

    def of(self, side: str) -> list[PairRecord]:
        """The records of a side: student, other or linked."""
        return [record for record in self.records if record.side == side]

    @property
    def reason(self) -> str:
        """Why it waits for review, or what became of it."""
        if self.candidate is None:
            return "It was not compared"
        return self.candidate.reason or _REASONS[self.candidate.decision]

    @property
    def why(self) -> str:
        """The evidence that the reviewer saw, for the record of the decision."""
        return f"{self.reason}: " + ", ".join(f"{s.level} ({s.weight:+.1f})" for s in self.steps)

    @property
    def standing(self) -> Recorded | None:
        """The decision that stands; None while the pair is open."""
        return standing_decisions(self.decisions).get(self.pair)

    @property
    def unsure(self) -> set[str]:
        """Who is unsure about it."""
        return unsure_reviewers(self.decisions).get(self.pair, set())

    @property
    def last_decision_id(self) -> int:
        """The newest decision about the pair, 0 without any."""
        return self.decisions[-1].decision_id if self.decisions else 0


def read_pair(
    connection: psycopg.Connection,
    pair: Pair,
    queue: Iterable[QueuedPair],
    decisions: Iterable[Recorded],
) -> ReviewedPair:
    """Read a pair; queue and decisions are those of all pairs."""
    candidate = next(
        (
            candidate
            for candidate in find_candidates(connection, pair.student_key)
            if (candidate.record_type, candidate.record) == astuple(pair)[1:]
        ),
        None,
    )
    with connection.cursor(row_factory=class_row(PairRecord)) as cursor:
        records = cursor.execute(
            query("outcomes.linkage", "pair_records"), pair.__dict__
        ).fetchall()
    return ReviewedPair(
        pair,
        candidate,
        find_steps(connection, candidate) if candidate else [],
        records,
        next((queued for queued in queue if queued.pair == pair), None),
        [recorded for recorded in decisions if recorded.pair == pair],
    )


@dataclass(frozen=True)
class FoundStudent:
    """A student that a search found, with the spellings of its name and its birth dates."""

    student_key: str
    names: str
    birth_dates: str | None


def find_students(connection: psycopg.Connection, text: str, limit: int) -> list[FoundStudent]:
    """Students by an id of theirs or of a linked client, or by beginnings of names."""
    with connection.cursor(row_factory=class_row(FoundStudent)) as cursor:
        return cursor.execute(
            query("outcomes.linkage", "find_students"),
            {"id": text.strip(), "words": _words(text), "limit": limit},
        ).fetchall()


def random_link(connection: psycopg.Connection, reviewer: str) -> Pair | None:
    """A link that the model made and nobody has decided about; None if there is no other.

    One of which the reviewer was unsure is left to others.
    """
    decisions = read_decisions(connection)
    left_out = [
        *standing_decisions(decisions),
        *(pair for pair, unsure in unsure_reviewers(decisions).items() if reviewer in unsure),
    ]
    row = connection.execute(
        query("outcomes.linkage", "random_link"),
        {
            "students": [pair.student_key for pair in left_out],
            "clients": [pair.other_record_key for pair in left_out],
        },
    ).fetchone()
    return Pair(row[0], "client", row[1]) if row else None


def _words(text: str) -> list[str]:
    """The words of a name as `normalized_name` standardizes them; none of an id."""
    if any(letter.isdigit() for letter in text):
        return []
    decomposed = unicodedata.normalize("NFKD", text).lower()
    return re.sub("[^a-z]+", " ", re.sub("['’`.\u0300-\u036f]", "", decomposed)).split()
