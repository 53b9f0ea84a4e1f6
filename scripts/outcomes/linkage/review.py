"""Asks a reviewer about one pair after the other, on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import psycopg
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import (
    FIELDS,
    Decision,
    Question,
    open_questions,
    record_decisions,
    record_questions,
)

ANSWERS = {"y": "link", "n": "no_link"}
KEYS = "[y] one person   [n] two people   [s] skip   [u] undo   [q] quit"


def review(
    connection: psycopg.Connection, reviewer: str, console: Console, read_key: Callable[[], str]
) -> Counter[str]:
    """Ask about every open question; each answer is stored at once.

    So a review that was left goes on where it stopped, whoever goes on. Undo takes back
    this session's last answer and asks again.

    Args:
        connection: to a built warehouse.
        reviewer: who decides.
        console: where the pairs are shown.
        read_key: reads one key; an empty text or EOFError is the end of the input.

    Returns:
        Number of answers by decision: link, no_link, skipped.
    """
    questions = open_questions(connection)
    # Of every question that was passed: its position and decision, None if skipped.
    answers: list[str | None] = []
    record_questions(connection, questions, reviewer, "link review")
    while len(answers) < len(questions):
        question = questions[len(answers)]
        console.print()
        console.print(side_by_side(question, len(answers) + 1, len(questions)))
        console.print(Text(KEYS, style="bold"))
        key = _read(read_key)
        if key in ("q", ""):
            break
        if key in ANSWERS:
            try:
                decision = Decision(question.pair, ANSWERS[key], question.why)
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
                undone = Decision(questions[len(answers)].pair, "withdrawn", "undone in review")
                record_decisions(connection, [undone], reviewer)
        else:
            console.print("There is nothing to undo." if key == "u" else "Press y, n, s, u or q.")
    return Counter(answer or "skipped" for answer in answers)


def _read(read_key: Callable[[], str]) -> str:
    try:
        return read_key().lower()
    except EOFError:
        return ""


def side_by_side(question: Question, number: int, of: int) -> Table:
    """Both records, the differences marked, with what else tells who this is."""
    others = question.other_record_count - 1
    table = Table(
        title=f"{number} of {of}: {question.match_weight:+.1f} bits, probability "
        f"{question.match_probability:.4f}\n{question.reason}",
        title_justify="left",
        title_style="bold",
        caption=_caption(question),
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("")
    table.add_column(f"student {question.student_key}")
    table.add_column(
        f"{question.other_record_type} {question.other_record_key}"
        + (f" and {others} more of the same client" if others else "")
    )
    if question.linked:
        table.add_column("linked already", style="dim")
    for position, field in enumerate(FIELDS):
        student, other = question.student[position], question.other[position]
        known = student.lower().split(" / ")
        same = any(text in known for text in other.lower().split(" / "))
        style = "" if same or not (student and other) else "yellow"
        # Texts, because a name in brackets is no style.
        row = [Text(field.replace("_", " ")), Text(student, style), Text(other, style)]
        if question.linked:
            row.append(Text(question.linked[position]))
        table.add_row(*row)
    return table


def _caption(question: Question) -> Text:
    parts = [question.evidence]
    if question.household:
        parts.append(f"Students at the same address: {question.household}")
    if question.runner_up and question.runner_up_weight is not None:
        parts.append(f"Runner-up: {question.runner_up} at {question.runner_up_weight:+.1f} bits")
    return Text("\n".join(parts))
