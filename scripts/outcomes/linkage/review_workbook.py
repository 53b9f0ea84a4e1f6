"""Clerical review in a workbook: export of the queue, import of the decisions."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import psycopg
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import (
    ANSWERS,
    Decision,
    Pair,
    deciding,
    ordered_pair,
    read_decisions,
    record_decisions,
    standing_decisions,
    unknown_pairs,
    unsure_reviewers,
)
from outcomes.linkage.review_queue import QueuedPair, read_queue, record_disclosure
from outcomes.linkage.shares import share_in_words
from outcomes.publishing.runs import reading_links
from outcomes.spreadsheet import spreadsheet_text

PAIR_COLUMNS = ("student_key", "other_record_type", "other_record_key")
ANSWER_COLUMNS = ("decision", "why")
# One screen wide: the fields of a record are one cell, a field a line.
WIDTHS = {
    "decision": 10,
    "why": 24,
    "student_key": 22,
    "other_record_type": 10,
    "other_record_key": 26,
    "how_sure": 24,
    "reason": 24,
    "evidence": 40,
    "student": 32,
    "other": 32,
    "linked": 32,
    "runner_up": 20,
    "household": 20,
    "student_days": 24,
    "other_days": 24,
}


class Imported(NamedTuple):
    """What became of a workbook's decisions.

    `known` were recorded before. `decided` are the numbers of rows that were left out, because
    their pairs are decided: the answer is unsure, or contradicts another reviewer.
    """

    new: int
    known: int
    decided: list[int]


def export_queue(connection: psycopg.Connection, file: Path, reviewer: str) -> int:
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
        queue = read_queue(connection, reviewer)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "review"
    sheet.append(list(WIDTHS))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for queued in queue:
        sheet.append([spreadsheet_text(v) if isinstance(v, str) else v for v in _row(queued)])
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    choice = DataValidation(type="list", formula1=f'"{",".join(ANSWERS)}"', allow_blank=True)
    choice.add(f"A2:A{len(queue) + 2}")
    sheet.add_data_validation(choice)
    sheet.freeze_panes = "C2"
    for position, width in enumerate(WIDTHS.values(), start=1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    # Created with its mode before anything is written: it holds personal data.
    try:
        with connection.transaction():
            shown = [student for queued in queue for student in queued.students]
            record_disclosure(connection, shown, reviewer, "link review --export")
            file.touch(mode=0o600, exist_ok=False)
            book.save(file)
    except OSError as error:
        raise OutcomesError(f"{file} cannot be written: {error.strerror}.") from None
    return len(queue)


def import_decisions(connection: psycopg.Connection, file: Path, reviewer: str) -> Imported:
    """Record the decisions of a workbook: none if a row is wrong.

    Rows without a decision are skipped.

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
    with deciding(connection):
        decisions = read_decisions(connection)
        standing, unsure = standing_decisions(decisions), unsure_reviewers(decisions)
        new: list[Decision] = []
        known, decided = 0, []
        for number, decision in rows:
            stands = standing.get(decision.pair)
            # A reviewer may correct a decision of their own.
            is_open = stands is None or (decision.is_final and stands.decided_by == reviewer)
            if decision.is_final:
                is_known = stands is not None and stands.decision == decision.decision
            else:
                is_known = reviewer in unsure.get(decision.pair, ())
            if is_known:
                known += 1
            elif is_open:
                new.append(decision)
            else:
                decided.append(number)
        record_decisions(connection, new, reviewer)
    return Imported(len(new), known, decided)


def _row(queued: QueuedPair) -> list[str | None]:
    return [
        None,
        None,
        queued.student_key,
        queued.other_record_type,
        queued.other_record_key,
        share_in_words(queued.share),
        queued.reason,
        queued.evidence,
        *(_lines(queued, side) for side in ("student", "other", "linked")),
        queued.runner_up,
        queued.household,
        queued.student_listed_on,
        queued.other_listed_on or queued.other_served_on,
    ]


def _lines(queued: QueuedPair, side: str) -> str:
    """The fields that a side has, one a line."""
    texts = {field.field: getattr(field, side) for field in queued.fields}
    return "\n".join(f"{name.replace('_', ' ')}: {text}" for name, text in texts.items() if text)


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
        if decision not in ANSWERS:
            raise OutcomesError(
                f"{file}, row {number}, column decision: expected {', '.join(ANSWERS)} or "
                "nothing. Nothing was recorded."
            )
        pair = ordered_pair(*(row.get(column, "") for column in PAIR_COLUMNS))
        why = row.get("why") or f"{row.get('reason', '')}: {row.get('evidence', '')}"
        if pair in decisions and decisions[pair][1].decision != decision:
            raise OutcomesError(
                f"{file}, rows {decisions[pair][0]} and {number}, column decision: expected one "
                "decision for a pair. Nothing was recorded."
            )
        decisions[pair] = (number, Decision(pair, decision, why))
    return list(decisions.values())


def _require_xlsx(file: Path) -> None:
    if file.suffix.lower() != ".xlsx":
        raise OutcomesError(f"{file}: expected the name of an .xlsx workbook.")
