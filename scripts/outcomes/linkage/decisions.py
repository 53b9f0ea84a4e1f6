"""Reviewers' decisions about pairs of records."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from outcomes.errors import OutcomesError


@dataclass(frozen=True, order=True)
class Pair:
    """A student (`<district>:<id>`) and a client (`<source>:<id>`) or another student."""

    student_key: str
    other_record_type: str
    other_record_key: str


@dataclass(frozen=True)
class Decision:
    """A reviewer's decision about a pair (link, no_link or withdrawn), and the reason."""

    pair: Pair
    decision: str
    reason: str


def reviewer_name() -> str:
    """The reviewer: `OUTCOMES_REVIEWER`, else the login of the operating system."""
    return os.environ.get("OUTCOMES_REVIEWER") or getpass.getuser()


def standing_decisions(connection: psycopg.Connection) -> dict[Pair, str]:
    """The last decision about each pair, link or no_link, unless it was withdrawn."""
    rows = connection.execute(
        "select student_key, other_record_type, other_record_key, decision "
        "from linking.decisions order by decision_id"
    )
    newest = {Pair(*pair): decision for *pair, decision in rows}
    return {pair: decision for pair, decision in newest.items() if decision != "withdrawn"}


def unknown_pairs(connection: psycopg.Connection, pairs: Iterable[Pair]) -> set[Pair]:
    """Pairs with a record that linking does not know, and pairs of a record with itself.

    A decision is also allowed about a pair outside the queue: a build may have removed it from
    the queue since the export.
    """
    pairs = set(pairs)
    students = {p.student_key for p in pairs}
    students |= {p.other_record_key for p in pairs if p.other_record_type == "student"}
    clients = {p.other_record_key for p in pairs if p.other_record_type == "client"}
    known_students = connection.execute(
        "select student_key from identity.int_identity_persons where student_key = any(%s)",
        [list(students)],
    )
    known_clients = connection.execute(
        "select record_id from identity.int_identity_records "
        "where record_type = 'client' and record_id = any(%s)",
        [list(clients)],
    )
    known = {("student", key) for (key,) in known_students}
    known |= {("client", key) for (key,) in known_clients}
    return {
        pair
        for pair in pairs
        if ("student", pair.student_key) not in known
        or (pair.other_record_type, pair.other_record_key) not in known
        or pair.student_key == pair.other_record_key
    }


def record_decisions(
    connection: psycopg.Connection, decisions: list[Decision], reviewer: str
) -> None:
    """Append decisions in one transaction; the next build follows them.

    Raises:
        OutcomesError: a link and a refusal between students contradict each other.
    """
    with connection.transaction():
        # Two reviewers at once would not see each other's decisions. Locking the table needs
        # the right to change it, but reviewers may only append.
        connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.link_decisions'))")
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into linking.decisions (student_key, other_record_type, "
                "other_record_key, decision, decided_by, reason) values (%s, %s, %s, %s, %s, %s)",
                [
                    (d.pair.student_key, d.pair.other_record_type, d.pair.other_record_key,
                     d.decision, reviewer, d.reason)
                    for d in decisions
                ],
            )  # fmt: skip
        _refuse_contradictions(standing_decisions(connection))


def _refuse_contradictions(standing: dict[Pair, str]) -> None:
    """Refuse a no_link between two students whom links connect, perhaps through a third."""
    between_students = {p: d for p, d in standing.items() if p.other_record_type == "student"}
    group: dict[str, set[str]] = {}
    for pair, decision in between_students.items():
        if decision == "link":
            one = group.get(pair.student_key, {pair.student_key})
            joined = one | group.get(pair.other_record_key, {pair.other_record_key})
            group.update(dict.fromkeys(joined, joined))
    for pair, decision in between_students.items():
        if decision == "no_link" and pair.other_record_key in group.get(pair.student_key, ()):
            raise OutcomesError(
                "Decisions contradict each other: a no_link separates two students whom links "
                "connect, perhaps through a third student. Nothing was recorded. Withdraw one of "
                "the decisions; linking.decisions lists them."
            )
