"""Shows why a student's candidates were linked or not, as a waterfall of evidence."""

from __future__ import annotations

from dataclasses import dataclass

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

    student_identity_id: str | None
    other_identity_id: str | None
    record_type: str
    record: str
    records: int
    match_weight: float | None
    match_probability: float | None
    decision: str
    decided_by: str
    reason: str | None
    runner_up: str | None
    runner_up_weight: float | None


@dataclass(frozen=True)
class Step:
    """One step of the waterfall: a comparison, its level in words, and its weight in bits."""

    comparison: str
    level: str
    weight: float


_CANDIDATES = """
with

student as (

    select
        student_key,
        person_id
    from identity.int_identity_persons
    where student_key = %(student)s

),

decisions as (

    select decisions.*
    from student
    inner join identity.int_identity_client_decisions as decisions
        on student.person_id = decisions.person_id

),

-- All records of a client. A client who is here only by a reviewer's decision has one identity.
client_records as (

    select
        decisions.client_person_id,
        min(records.record_id) as record,
        count(*) as records
    from decisions
    left join identity.int_identity_client_persons as client_persons
        on decisions.client_person_id = client_persons.client_person_id
    inner join identity.int_identity_records as records
        on
            coalesce(client_persons.client_identity_id, decisions.client_person_id)
            = records.identity_id
    group by decisions.client_person_id

),

clients as (

    select
        decisions.student_identity_id::text,
        decisions.client_person_id::text as other_identity_id,
        'client' as record_type,
        client_records.record,
        client_records.records,
        decisions.match_weight,
        decisions.match_probability,
        decisions.decision,
        decisions.decided_by,
        case
            when decisions.person_rank > 1 then 'Another person fits better'
            else rules.description
        end as reason,
        decisions.runner_up_person_id as runner_up,
        decisions.runner_up_weight
    from decisions
    inner join client_records
        on decisions.client_person_id = client_records.client_person_id
    left join identity.match_rules as rules on decisions.rule = rules.rule

),

students as (

    select
        decisions.student_identity_id::text,
        decisions.other_identity_id::text,
        'student' as record_type,
        case decisions.student_key
            when student.student_key then decisions.other_student_key
            else decisions.student_key
        end as record,
        1 as records,
        decisions.match_weight,
        decisions.match_probability,
        decisions.decision,
        decisions.decided_by,
        rules.description as reason,
        null as runner_up,
        null::double precision as runner_up_weight
    from student
    inner join identity.int_identity_student_decisions as decisions
        on student.student_key in (decisions.student_key, decisions.other_student_key)
    left join identity.match_rules as rules on decisions.rule = rules.rule

)

select * from clients
union all
select * from students
order by match_weight desc nulls first, record_type, record
"""

_STEPS = """
select
    replace(comparison, '_', ' ') as comparison,
    description as level,
    weight
from identity.int_identity_evidence as evidence
where student_identity_id = %s and other_identity_id = %s
order by abs(weight) desc, evidence.comparison
"""


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
        return cursor.execute(_CANDIDATES, {"student": student}).fetchall()


def find_steps(connection: psycopg.Connection, candidate: Candidate) -> list[Step]:
    """The candidate's comparisons, the heaviest first; none if it was not compared."""
    with connection.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(
            _STEPS, [candidate.student_identity_id, candidate.other_identity_id]
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
        table.add_row(row.comparison, row.level, f"{row.weight:+.1f}", bar)
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
    records = "" if candidate.records == 1 else f" and {candidate.records - 1} more"
    return Text.assemble(
        (candidate.decision, "bold"),
        f" (by {candidate.decided_by}): {candidate.record_type} {candidate.record}{records}",
    )


def _caption(candidate: Candidate) -> str:
    parts = []
    if candidate.reason:
        parts.append(candidate.reason)
    if candidate.runner_up and candidate.runner_up_weight is not None:
        parts.append(f"Runner-up {candidate.runner_up} at {candidate.runner_up_weight:+.1f} bits")
    return ". ".join(parts)
