"""Shows why a student's candidates were linked or not, as a waterfall of evidence."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outcomes.errors import OutcomesError

# Width of a waterfall's bars, in columns of the terminal.
BAR_WIDTH = 24


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


@dataclass(frozen=True)
class Step:
    """One step of the waterfall: a comparison, its level in words, and its weight in bits."""

    comparison: str
    level: str
    weight: float


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


def explain(connection: psycopg.Connection, student: str, limit: int, console: Console) -> None:
    """Print a waterfall for each of the student's `limit` heaviest candidates.

    Shows ids, levels and weights, but no names or dates.

    Raises:
        OutcomesError: no such student.
    """
    candidates = find_candidates(connection, student)
    console.print(f"{student} was compared with {len(candidates):,} others.", highlight=False)
    for candidate in candidates[:limit]:
        console.print()
        console.print(_waterfall(candidate, find_steps(connection, candidate)))
    if len(candidates) > limit:
        console.print(f"\n{len(candidates) - limit:,} more have a lower weight.", highlight=False)


def _waterfall(candidate: Candidate, steps: list[Step]) -> Table:
    table = Table(
        title=_title(candidate),
        title_justify="left",
        caption=_caption(candidate),
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("compared")
    table.add_column("level")
    table.add_column("bits", justify="right")
    table.add_column("", width=BAR_WIDTH, no_wrap=True)
    if candidate.match_weight is None:
        return table
    prior = candidate.match_weight - sum(step.weight for step in steps)
    rows = [Step("prior", "before anything is compared", prior), *steps]
    totals = [0.0]
    for row in rows:
        totals.append(totals[-1] + row.weight)
    low, high = min(totals), max(totals)
    scale = BAR_WIDTH / (high - low or 1)
    for row, start, end in zip(rows, totals, totals[1:], strict=False):
        bar = _bar(start - low, end - low, scale)
        table.add_row(row.comparison.replace("_", " "), row.level, f"{row.weight:+.1f}", bar)
    table.add_section()
    table.add_row(
        "total",
        f"probability {candidate.match_probability:.6f}",
        f"{candidate.match_weight:+.1f}",
        _bar(-low, candidate.match_weight - low, scale),
        style="bold",
    )
    return table


def _bar(start: float, end: float, scale: float) -> Text:
    """A bar from `start` to `end`: green for evidence for a match, red for evidence against."""
    left = round(min(start, end) * scale)
    length = max(1, round(max(start, end) * scale) - left)
    left = min(left, BAR_WIDTH - length)
    return Text(" " * left + "█" * length, style="green" if end >= start else "red")


def _title(candidate: Candidate) -> Text:
    records = "" if candidate.record_count == 1 else f" and {candidate.record_count - 1} more"
    return Text.assemble(
        (candidate.decision, "bold"),
        f" (by {candidate.decided_by}): {candidate.record_type} {candidate.record}{records}",
    )


def _caption(candidate: Candidate) -> str:
    parts = []
    if candidate.reason:
        parts.append(candidate.reason)
    if candidate.runner_up_person_id and candidate.runner_up_weight is not None:
        runner_up = candidate.runner_up_person_id
        parts.append(f"Runner-up {runner_up} at {candidate.runner_up_weight:+.1f} bits")
    return ". ".join(parts)
