"""A report on files before a district's first delivery.

They land in a temporary warehouse, so the report says what landing itself would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import psycopg

from outcomes.contracts.model import Contract
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.joins import ROW_OF_FILE
from outcomes.landing.loader import Outcome, land_deliveries
from outcomes.landing.reading import FileReading
from outcomes.landing.reasons import FileError
from outcomes.landing.unconfirmed import UnconfirmedPosition, unconfirmed_positions
from outcomes.landing.unpack import logical_files
from outcomes.warehouse.temporary import temporary_warehouse

# Line, reason, column and detail.
Fault = tuple[int, str, str | None, str]

# Line numbers that are listed for each kind of finding; the count includes all.
LISTED_LINES = 5


@dataclass
class Finding:
    """One kind of fault in one column, with its first lines."""

    reason_code: str
    column: str | None
    detail: str
    rows: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass
class FileReport:
    """The outcome of one file, with the reasons for rejected rows and for nulled values."""

    outcome: Outcome
    rejected: list[Finding] = field(default_factory=list)
    issues: list[Finding] = field(default_factory=list)
    unconfirmed: list[UnconfirmedPosition] = field(default_factory=list)


def check_files(contract: Contract, files: Sequence[DeliveredFile]) -> list[FileReport]:
    """What landing makes of files, in their order; several deliveries land one after another."""
    outcomes: dict[tuple[DeliveredFile, str], Outcome] = {}
    with temporary_warehouse() as warehouse:
        landing = land_deliveries(warehouse, {contract.partner_id: contract}, sorted(files))
        for _, landed in landing:
            for outcome in landed:
                key = (_delivered(outcome, files), outcome.file_name)
                # A later file can change the verdict on an earlier one, but not its counts.
                before = outcomes.get(key, outcome)
                outcomes[key] = replace(outcome, counts=before.counts, issues=before.issues)
        found = sorted(outcomes.items(), key=lambda entry: files.index(entry[0][0]))
        reports = [_report(warehouse, contract, file, outcome) for (file, _), outcome in found]
        for report, ((file, _), outcome) in zip(reports, found, strict=True):
            report.unconfirmed = _unconfirmed(contract, file, outcome)
    names = {
        outcome.file_id: f"{outcome.file_name} of {outcome.as_of_date}" for _, outcome in found
    }
    for finding in (finding for report in reports for finding in report.rejected + report.issues):
        # The numbers of files are those of the temporary warehouse.
        finding.detail = ROW_OF_FILE.sub(
            lambda match: f"in a row of {names[int(match[1])]}: ", finding.detail
        )
    return reports


def _delivered(outcome: Outcome, files: Iterable[DeliveredFile]) -> DeliveredFile:
    """The delivered file of an outcome, whose name may go on with that of a member or sheet."""
    return next(
        file for file in files
        if file.as_of_date == outcome.as_of_date
        and f"{outcome.file_name}/".startswith(f"{file.name}/")
    )  # fmt: skip


def _report(
    warehouse: psycopg.Connection, contract: Contract, file: DeliveredFile, outcome: Outcome
) -> FileReport:
    if outcome.file_id is None:
        return _read_again(contract, file, outcome)
    rejected, issues = (
        warehouse.execute(
            f"select {line}, reason_code, column_name, coalesce(detail, '') from landing.{table} "  # noqa: S608
            f"where file_id = %s order by {line}".encode(),
            [outcome.file_id],
        )
        for table, line in (("rejected_rows", "line_start"), ("value_issues", "line_number"))
    )
    return FileReport(outcome, _findings(rejected), _findings(issues))


def _read_again(contract: Contract, file: DeliveredFile, outcome: Outcome) -> FileReport:
    """The report on a file of which landing stores no row, with the faults of its rows, too."""
    rejected: list[Fault] = []
    issues: list[Fault] = []
    # The outcome already says why the file cannot be read.
    with suppress(Exception):
        for part in logical_files(contract, file):
            if part.file_name == outcome.file_name:
                for block in FileReading(contract, part).blocks():
                    rejected += block.rejected.drop("line_end").rows()
                    issues += block.issues.rows()
    return FileReport(outcome, _findings(rejected), _findings(issues))


def _unconfirmed(
    contract: Contract, file: DeliveredFile, outcome: Outcome
) -> list[UnconfirmedPosition]:
    # The outcome already says why the file cannot be read.
    with suppress(FileError):
        return [
            position
            for part in logical_files(contract, file)
            if part.file_name == outcome.file_name
            for position in unconfirmed_positions(FileReading(contract, part))
        ]
    return []


def _findings(faults: Iterable[Fault]) -> list[Finding]:
    """Faults of the same kind together, in the order of their first lines."""
    found: dict[tuple[str, str | None, str], Finding] = {}
    for line, reason, column, detail in faults:
        kind = (reason, column, detail)
        finding = found.setdefault(kind, Finding(*kind))
        finding.rows += 1
        if len(finding.lines) < LISTED_LINES:
            finding.lines.append(line)
    return list(found.values())
