"""A complete report on files before a district's first delivery; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from outcomes.contracts.model import Contract
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.reading import Counts, FileReading
from outcomes.landing.reasons import FileError
from outcomes.landing.unpack import LogicalFile, logical_files

# Lines that are listed for each kind of finding; the count is of all.
LISTED_LINES = 5


@dataclass
class Finding:
    """One kind of problem in one column, with the first lines on which it shows."""

    reason_code: str
    column: str | None
    detail: str
    rows: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass
class FileReport:
    """What landing would make of one file."""

    file_name: str
    counts: Counts
    fault: FileError | None = None
    warnings: list[str] = field(default_factory=list)
    rejected: list[Finding] = field(default_factory=list)
    issues: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every row and value would be taken as sent."""
        return not (self.fault or self.warnings or self.rejected or self.issues)


def check_file(contract: Contract, path: Path, as_of_date: date) -> list[FileReport]:
    """Read a file as landing would and report on every logical file in it."""
    delivered = DeliveredFile(contract.partner_id, as_of_date, path.name, path)
    return [_report(contract, file) for file in logical_files(contract, delivered)]


def _report(contract: Contract, file: LogicalFile) -> FileReport:
    reading = FileReading(contract, file)
    report = FileReport(file.file_name, reading.counts)
    rejected: dict[tuple[str, str | None, str], Finding] = {}
    issues: dict[tuple[str, str | None, str], Finding] = {}
    try:
        for block in reading.blocks():
            for line, _, *what in block.rejected.iter_rows():
                _note(rejected, line, *what)
            for line, *what in block.issues.iter_rows():
                _note(issues, line, *what)
        report.warnings = reading.warnings
    except FileError as fault:
        report.fault = fault
        report.counts = reading.counts.set_aside()
    report.rejected = list(rejected.values())
    report.issues = list(issues.values())
    return report


def _note(
    findings: dict[tuple[str, str | None, str], Finding],
    line: int,
    reason_code: str,
    column: str | None,
    detail: str,
) -> None:
    finding = findings.setdefault(
        (reason_code, column, detail), Finding(reason_code, column, detail)
    )
    finding.rows += 1
    if len(finding.lines) < LISTED_LINES:
        finding.lines.append(line)
