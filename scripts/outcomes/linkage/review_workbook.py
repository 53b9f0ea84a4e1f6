"""The review as a workbook: written with the open questions, read with the decisions."""

from __future__ import annotations

import zipfile
from pathlib import Path

import psycopg
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import (
    FIELDS,
    Decision,
    Pair,
    Question,
    open_questions,
    record_decisions,
    record_questions,
    reviewer_name,
    standing_decisions,
    unknown_pairs,
)

DECISIONS = ("link", "no_link")
PAIR_COLUMNS = ("student_key", "other_record_type", "other_record_key")
ANSWER_COLUMNS = ("decision", "why")
COLUMNS = (
    *ANSWER_COLUMNS,
    *PAIR_COLUMNS,
    "match_weight",
    "reason",
    "evidence",
    "runner_up",
    "household",
    *(f"{side}_{field}" for field in FIELDS for side in ("student", "other", "linked")),
)

# What a spreadsheet takes for the beginning of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export_questions(connection: psycopg.Connection, file: Path) -> int:
    """Write the open questions to a new workbook that only its owner can read.

    It is entered in the record of disclosures.

    Returns:
        Number of questions.

    Raises:
        OutcomesError: the file exists, is no .xlsx, or cannot be written.
    """
    _require_xlsx(file)
    if file.exists():
        raise OutcomesError(f"{file} exists and may hold decisions: name a new file.")
    questions = open_questions(connection)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "review"
    sheet.append(COLUMNS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for question in questions:
        sheet.append([escaped(v) if isinstance(v, str) else v for v in _row(question)])
    choice = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True)
    choice.add(f"A2:A{len(questions) + 2}")
    sheet.add_data_validation(choice)
    sheet.freeze_panes = "C2"
    for position, column in enumerate(COLUMNS, start=1):
        width = 60 if column == "evidence" else 18
        sheet.column_dimensions[get_column_letter(position)].width = width
    # Made before it is filled: it holds personal data.
    try:
        with connection.transaction():
            record_questions(connection, questions, reviewer_name(), "link review --export")
            file.touch(mode=0o600, exist_ok=False)
            book.save(file)
    except OSError as error:
        raise OutcomesError(f"{file} cannot be written: {error.strerror}.") from None
    return len(questions)


def import_decisions(connection: psycopg.Connection, file: Path, reviewer: str) -> tuple[int, int]:
    """Record the decisions of a workbook: all of them, or none if one is wrong.

    A row without decision is open still; a decision that stands already is passed over.

    Returns:
        Number of decisions that are new, and of those that stood already.

    Raises:
        OutcomesError: a column is missing, a decision is none, linking does not know a
            record, or decisions contradict each other.
    """
    rows = _read_rows(file)
    unknown = unknown_pairs(connection, (decision.pair for _, decision in rows))
    wrong = [number for number, decision in rows if decision.pair in unknown]
    if wrong:
        raise OutcomesError(
            f"{file}, row {wrong[0]} ({len(wrong)} rows in all), columns "
            f"{', '.join(PAIR_COLUMNS)}: expected two records that linking knows. A client who "
            "was deleted since, or is too old to be a student, is none. Correct the keys or "
            "clear the decision; nothing was recorded."
        )
    standing = standing_decisions(connection)
    new = [d for _, d in rows if standing.get(d.pair) != d.decision]
    record_decisions(connection, new, reviewer)
    return len(new), len(rows) - len(new)


def escaped(text: str) -> str:
    """The text, so that no spreadsheet ever runs it, not even after saving it as CSV."""
    text = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _row(question: Question) -> list[str | float | None]:
    linked = question.linked or [""] * len(FIELDS)
    said = [
        text
        for all_three in zip(question.student, question.other, linked, strict=True)
        for text in all_three
    ]
    return [
        None,
        None,
        question.student_key,
        question.other_record_type,
        question.other_record_key,
        round(question.match_weight, 1),
        question.reason,
        question.evidence,
        question.runner_up,
        question.household,
        *said,
    ]


def _read_rows(file: Path) -> list[tuple[int, Decision]]:
    """Row number and decision of every row that has one."""
    _require_xlsx(file)
    if not file.exists():
        raise OutcomesError(f"{file} does not exist: expected a workbook out of `--export`.")
    try:
        book = load_workbook(file, read_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise OutcomesError(f"{file}: expected an .xlsx workbook out of `--export`.") from error
    lines = book.worksheets[0].iter_rows(values_only=True)
    header = list(next(lines, ()))
    missing = [column for column in (*ANSWER_COLUMNS, *PAIR_COLUMNS) if column not in header]
    if missing:
        raise OutcomesError(f"{file}, row 1: the column {missing[0]} is missing.")
    decisions: dict[Pair, tuple[int, Decision]] = {}
    for number, line in enumerate(lines, start=2):
        row = {
            str(name): str(value).strip()
            for name, value in zip(header, line, strict=False)
            if value is not None
        }
        decision = row.get("decision", "").lower()
        if not decision:
            continue
        if decision not in DECISIONS:
            raise OutcomesError(
                f"{file}, row {number}, column decision: expected link, no_link or nothing. "
                "Nothing was recorded."
            )
        pair = _pair(*(row.get(column, "") for column in PAIR_COLUMNS))
        why = row.get("why") or f"{row.get('reason', '')}: {row.get('evidence', '')}"
        if pair in decisions and decisions[pair][1].decision != decision:
            raise OutcomesError(
                f"{file}, rows {decisions[pair][0]} and {number}, column decision: expected one "
                "decision for a pair. Nothing was recorded."
            )
        decisions[pair] = (number, Decision(pair, decision, why))
    return list(decisions.values())


def _pair(student_key: str, other_record_type: str, other_record_key: str) -> Pair:
    """The pair as it is stored: of two students the key that sorts first comes first."""
    if other_record_type == "student" and other_record_key < student_key:
        student_key, other_record_key = other_record_key, student_key
    return Pair(student_key, other_record_type, other_record_key)


def _require_xlsx(file: Path) -> None:
    if file.suffix.lower() != ".xlsx":
        raise OutcomesError(f"{file}: expected the name of an .xlsx workbook.")
