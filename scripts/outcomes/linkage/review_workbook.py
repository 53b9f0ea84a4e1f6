"""Clerical review in a workbook: export of the queue, import of the decisions."""

from __future__ import annotations

import zipfile
from pathlib import Path

import psycopg
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import (
    Decision,
    Pair,
    record_decisions,
    reviewer_name,
    standing_decisions,
    unknown_pairs,
)
from outcomes.linkage.review_queue import QueuedPair, read_queue, record_disclosure
from outcomes.publishing.runs import reading_links
from outcomes.spreadsheet import spreadsheet_text

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
)


def export_queue(connection: psycopg.Connection, file: Path) -> int:
    """Write the queue to a new workbook that only its owner can read.

    The export is entered in the record of disclosures.

    Returns:
        Number of pairs.

    Raises:
        OutcomesError: the file exists, is not an .xlsx, or cannot be written.
    """
    _require_xlsx(file)
    if file.exists():
        raise OutcomesError(f"{file} exists and may hold decisions: name a new file.")
    with reading_links(connection):
        queue = read_queue(connection)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "review"
    fields = [field.field for field in queue[0].fields] if queue else []
    sides = ("student", "other", "linked")
    columns = [*COLUMNS, *(f"{side}_{field}" for field in fields for side in sides)]
    sheet.append(columns)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for queued in queue:
        sheet.append([spreadsheet_text(v) if isinstance(v, str) else v for v in _row(queued)])
    choice = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True)
    choice.add(f"A2:A{len(queue) + 2}")
    sheet.add_data_validation(choice)
    sheet.freeze_panes = "C2"
    for position, column in enumerate(columns, start=1):
        width = 60 if column == "evidence" else 18
        sheet.column_dimensions[get_column_letter(position)].width = width
    # Created with its mode before anything is written: it holds personal data.
    try:
        with connection.transaction():
            record_disclosure(connection, queue, reviewer_name(), "link review --export")
            file.touch(mode=0o600, exist_ok=False)
            book.save(file)
    except OSError as error:
        raise OutcomesError(f"{file} cannot be written: {error.strerror}.") from None
    return len(queue)


def import_decisions(connection: psycopg.Connection, file: Path, reviewer: str) -> tuple[int, int]:
    """Record the decisions of a workbook: all of them, or none if one is wrong.

    Rows without a decision, and decisions that were recorded before, are skipped.

    Returns:
        Number of new decisions, and of decisions that were recorded before.

    Raises:
        OutcomesError: a column is missing, a decision is invalid, linking does not know a
            record, or decisions contradict each other.
    """
    rows = _read_rows(file)
    with reading_links(connection):
        unknown = unknown_pairs(connection, (decision.pair for _, decision in rows))
    wrong = [number for number, decision in rows if decision.pair in unknown]
    if wrong:
        raise OutcomesError(
            f"{file}, row {wrong[0]} ({len(wrong)} rows in all), columns "
            f"{', '.join(PAIR_COLUMNS)}: expected two records that linking knows. It does not know "
            "a client who was deleted since or is too old to be a student. Nothing was recorded: "
            "correct the keys or clear the decision, and import again."
        )
    standing = standing_decisions(connection)
    new = [d for _, d in rows if standing.get(d.pair) != d.decision]
    record_decisions(connection, new, reviewer)
    return len(new), len(rows) - len(new)


def _row(queued: QueuedPair) -> list[str | float | None]:
    return [
        None,
        None,
        queued.student_key,
        queued.other_record_type,
        queued.other_record_key,
        round(queued.match_weight, 1),
        queued.reason,
        queued.evidence,
        queued.runner_up,
        queued.household,
        *(text for f in queued.fields for text in (f.student, f.other, f.linked)),
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
