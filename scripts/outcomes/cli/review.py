"""Clerical review on the terminal, one pair after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import psycopg
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import Decision, record_decisions
from outcomes.linkage.review_queue import QueuedPair, read_queue, record_disclosure
from outcomes.linkage.shares import share_in_words

ANSWERS = {"y": "link", "n": "no_link"}
KEYS = "[y] one person   [n] two people   [s] skip   [u] undo   [q] quit"


def review(
    connection: psycopg.Connection, reviewer: str, console: Console, read_key: Callable[[], str]
) -> Counter[str]:
    """Ask about every pair in the queue; each answer is stored at once.

    So an interrupted review continues where it stopped, for any reviewer. Undo withdraws the
    last answer of this session and asks again.

    `read_key` reads one key; an empty text or EOFError is the end of the input.

    Returns:
        Number of answers by decision: link, no_link, skipped.
    """
    queue = read_queue(connection, reviewer)
    # The decision about each pair so far, in the order of the queue; None if skipped.
    answers: list[str | None] = []
    shown = [student for queued in queue for student in queued.students]
    record_disclosure(connection, shown, reviewer, "link review")
    while len(answers) < len(queue):
        queued = queue[len(answers)]
        console.print()
        console.print(side_by_side(queued, len(answers) + 1, len(queue)))
        console.print(Text(KEYS, style="bold"))
        key = _read(read_key)
        if key in ("q", ""):
            break
        if key in ANSWERS:
            try:
                decision = Decision(queued.pair, ANSWERS[key], queued.why)
                record_decisions(connection, [decision], reviewer)
            except OutcomesError as error:
                console.print(Text(str(error), style="red"))
                answers.append(None)
            else:
                answers.append(ANSWERS[key])
        elif key == "s":
            answers.append(None)
        elif key == "u" and answers:
            if answers.pop() is not None:
                undone = Decision(queue[len(answers)].pair, "withdrawn", "undone in review")
                record_decisions(connection, [undone], reviewer)
        else:
            console.print("There is nothing to undo." if key == "u" else "Press y, n, s, u or q.")
    return Counter(answer or "skipped" for answer in answers)


def _read(read_key: Callable[[], str]) -> str:
    try:
        return read_key().lower()
    except EOFError:
        return ""


def side_by_side(queued: QueuedPair, number: int, of: int) -> Table:
    """Both records with their differences marked, and the other evidence."""
    others = queued.other_record_count - 1
    table = Table(
        title=f"{number} of {of}: {queued.match_weight:+.1f} bits, "
        f"{share_in_words(queued.share)}\n{queued.reason}",
        title_justify="left",
        title_style="bold",
        caption=_caption(queued),
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("")
    table.add_column(f"student {queued.student_key}")
    table.add_column(
        f"{queued.other_record_type} {queued.other_record_key}"
        + (f" and {others} more of the same client" if others else "")
    )
    is_linked = any(field.linked is not None for field in queued.fields)
    if is_linked:
        table.add_column("linked already", style="dim")
    for field in queued.fields:
        known = field.student.lower().split(" / ")
        same = any(text in known for text in field.other.lower().split(" / "))
        style = "" if same or not (field.student and field.other) else "yellow"
        # As Text, so that Rich does not read a name in brackets as a style.
        row = [
            Text(field.field.replace("_", " ")),
            Text(field.student, style),
            Text(field.other, style),
        ]
        if is_linked:
            row.append(Text(field.linked or ""))
        table.add_row(*row)
    return table


def _caption(queued: QueuedPair) -> Text:
    parts = [queued.evidence]
    if queued.household:
        parts.append(f"Students at the same address: {queued.household}")
    if queued.runner_up and queued.runner_up_weight is not None:
        parts.append(f"Runner-up: {queued.runner_up} at {queued.runner_up_weight:+.1f} bits")
    return Text("\n".join(parts))
