"""Reviewers' decisions about pairs of records. docs/linking.md says which of them stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from outcomes.errors import OutcomesError

# What a reviewer may say about a pair. Unsure leaves it to a second reviewer.
ANSWERS = ("link", "no_link", "unsure")
IN_WORDS = {
    "link": "same person",
    "no_link": "different people",
    "unsure": "unsure",
    "withdrawn": "withdrawn",
}


@dataclass(frozen=True, order=True)
class Pair:
    """A student (`<district>:<id>`) and a client (`<source>:<id>`) or another student."""

    student_key: str
    other_record_type: str
    other_record_key: str

    @property
    def students(self) -> list[str]:
        """The keys of its students, one or two."""
        others = [self.other_record_key] if self.other_record_type == "student" else []
        return [self.student_key, *others]


@dataclass(frozen=True)
class Decision:
    """A reviewer's decision about a pair (an answer, or withdrawn), and the reason."""

    pair: Pair
    decision: str
    reason: str

    @property
    def is_final(self) -> bool:
        """Whether builds follow it, as `stg_link_decisions` says."""
        return self.decision in ("link", "no_link")


@dataclass(frozen=True)
class Recorded(Decision):
    """A decision in the ledger: who decided, and when."""

    decision_id: int
    decided_by: str
    decided_at: datetime


def ordered_pair(student_key: str, other_record_type: str, other_record_key: str) -> Pair:
    """The pair as it is stored: of two students the key that sorts first comes first."""
    if other_record_type == "student" and other_record_key < student_key:
        student_key, other_record_key = other_record_key, student_key
    return Pair(student_key, other_record_type, other_record_key)


def read_decisions(connection: psycopg.Connection) -> list[Recorded]:
    """All decisions, the oldest first."""
    rows = connection.execute(
        "select student_key, other_record_type, other_record_key, decision, reason, "
        "decision_id, decided_by, decided_at from linking.decisions order by decision_id"
    )
    return [Recorded(Pair(*row[:3]), *row[3:]) for row in rows]


def standing_decisions(decisions: Iterable[Recorded]) -> dict[Pair, Recorded]:
    """The decision that stands about each decided pair, as `stg_link_decisions` has it.

    `decisions` are all of these pairs, the oldest first. One that is unsure decides nothing and
    takes nothing back.
    """
    newest = {recorded.pair: recorded for recorded in decisions if recorded.decision != "unsure"}
    return {pair: recorded for pair, recorded in newest.items() if recorded.is_final}


def unsure_reviewers(decisions: Iterable[Recorded]) -> dict[Pair, set[str]]:
    """Who was unsure about each pair, and has said nothing else about it since."""
    unsure: dict[Pair, set[str]] = {}
    for recorded in decisions:
        reviewers = unsure.setdefault(recorded.pair, set())
        if recorded.decision == "unsure":
            reviewers.add(recorded.decided_by)
        else:
            reviewers.discard(recorded.decided_by)
    return unsure


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


@contextmanager
def deciding(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction in which nobody else decides, so that what it has read stays true."""
    with connection.transaction():
        # Locking the table needs the right to change it, but reviewers may only append.
        connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.link_decisions'))")
        yield


def record_decisions(
    connection: psycopg.Connection, decisions: Sequence[Decision], reviewer: str
) -> None:
    """Append decisions in one transaction; the next build follows them.

    Raises:
        OutcomesError: an unsure is about a decided pair, or a link and a refusal between students
            contradict each other.
    """
    with deciding(connection):
        _refuse_unsure(decisions, standing_decisions(read_decisions(connection)))
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
        _refuse_contradictions(standing_decisions(read_decisions(connection)))


def undo_decision(connection: psycopg.Connection, undone: Recorded, reviewer: str) -> None:
    """Record again what stood before a decision: an earlier decision, or none.

    Raises:
        OutcomesError: somebody has decided about the pair since, or as `record_decisions`.
    """
    with deciding(connection):
        about = [d for d in read_decisions(connection) if d.pair == undone.pair]
        if about[-1] != undone:
            raise OutcomesError(
                f"Nothing was undone: {about[-1].decided_by} has decided about the pair since. "
                "The decisions about a pair are listed on its page."
            )
        before = standing_decisions(about[:-1]).get(undone.pair)
        again = Decision(undone.pair, "withdrawn", "Undone in review")
        if before:
            why = f"{again.reason}: as {before.decided_by} had decided. {before.reason}"
            again = Decision(undone.pair, before.decision, why)
        record_decisions(connection, [again], reviewer)


def _refuse_unsure(decisions: Iterable[Decision], standing: dict[Pair, Recorded]) -> None:
    """Refuse an unsure about a decided pair: nobody would be asked about it."""
    for decision in decisions:
        if decision.decision == "unsure" and (stands := standing.get(decision.pair)):
            raise OutcomesError(
                f"Nothing was recorded: {stands.decided_by} decided "
                f"“{IN_WORDS[stands.decision]}” about the pair, and that stands until somebody "
                f"decides otherwise. Ask {stands.decided_by}, or decide otherwise."
            )


def _refuse_contradictions(standing: dict[Pair, Recorded]) -> None:
    """Refuse a no_link between two students whom links connect, perhaps through a third."""
    between_students = {
        pair: recorded.decision
        for pair, recorded in standing.items()
        if pair.other_record_type == "student"
    }
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
