"""Why a student's candidates were linked or not: the evidence, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from outcomes.errors import OutcomesError


@dataclass(frozen=True)
class Candidate:
    """A client with all its records, or another student, compared with the student's person.

    Weights are in bits; `record` is `<source>:<client id>` or `<district>:<student id>`.
    """

    student_key: str
    student_identity_id: UUID | None
    other_identity_id: UUID
    record_type: str
    record: str
    record_count: int
    match_weight: float | None
    match_probability: float | None
    decision: str
    decided_by: str
    reason: str | None
    runner_up_person_id: str | None
    runner_up_weight: float | None

    @property
    def is_student(self) -> bool:
        """Whether it is another student, not a client."""
        return self.record_type == "student"

    @property
    def share(self) -> float | None:
        """The share of true matches among such pairs, `match_calibration`.

        It was measured of clients who link or are reviewed, not of two students.
        """
        is_measured = not self.is_student and self.decision in ("link", "review")
        return self.match_probability if is_measured else None


@dataclass(frozen=True)
class Step:
    """One step of the waterfall: a comparison, its level in words, and its weight in bits."""

    comparison: str
    level: str
    weight: float


@dataclass(frozen=True)
class Bar:
    """A step, and the sums of the weights before and after it."""

    step: Step
    start: float
    end: float


def find_candidates(connection: psycopg.Connection, student: str) -> list[Candidate]:
    """The candidates of the person of a student, `<district>:<id>`, the heaviest first.

    Raises:
        OutcomesError: no such student.
    """
    known = connection.execute(
        "select from identity.int_identity_persons where student_key = %s", [student]
    ).fetchone()
    if known is None:
        raise OutcomesError(
            "No such student: expected <district>:<district_student_id> as in the column "
            "student_key of marts.dim_students."
        )
    with connection.cursor(row_factory=class_row(Candidate)) as cursor:
        return cursor.execute(
            """
            select * from identity.int_identity_candidates where student_key = %s
            order by match_weight desc nulls first, record_type, record
            """,
            [student],
        ).fetchall()


def find_steps(connection: psycopg.Connection, candidate: Candidate) -> list[Step]:
    """The candidate's comparisons, the heaviest first; none if it was not compared."""
    with connection.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(
            """
            select comparison, description as level, weight
            from identity.int_identity_evidence
            where student_identity_id = %s and other_identity_id = %s
            order by abs(weight) desc, comparison
            """,
            [candidate.student_identity_id, candidate.other_identity_id],
        ).fetchall()


def waterfall(candidate: Candidate, steps: list[Step]) -> list[Bar]:
    """The steps as bars, from the prior to the candidate's weight; none if it was not compared."""
    if candidate.match_weight is None:
        return []
    prior = candidate.match_weight - sum(step.weight for step in steps)
    bars, total = [], 0.0
    for step in [Step("prior", "before anything is compared", prior), *steps]:
        bars.append(Bar(step, total, total + step.weight))
        total += step.weight
    return bars
