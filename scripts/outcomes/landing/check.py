"""A report on files before a district's first delivery; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from outcomes.contracts.formats import spring_year
from outcomes.contracts.model import Contract, ContractObject
from outcomes.contracts.sql import SqlError, Tables
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.interruption import fault_of
from outcomes.landing.joins import apply_transforms, as_rows, merge
from outcomes.landing.reading import Counts, FileReading
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.unpack import LogicalFile, logical_files, whole_file
from outcomes.landing.validate import ValidBlock

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


Findings = dict[tuple[str, str | None, str], Finding]


@dataclass
class FileReport:
    """The result that landing would have for one file."""

    file_name: str
    counts: Counts
    fault: FileError | None = None
    warnings: list[str] = field(default_factory=list)
    _rejected: Findings = field(default_factory=dict)
    _issues: Findings = field(default_factory=dict)

    @property
    def rejected(self) -> list[Finding]:
        """The reasons for rejected rows."""
        return list(self._rejected.values())

    @property
    def issues(self) -> list[Finding]:
        """The reasons for values that become null."""
        return list(self._issues.values())

    def note(self, block: ValidBlock) -> None:
        """Add the faults of a block."""
        for line, _, *what in block.rejected.iter_rows():
            _note(self._rejected, line, *what)
        for line, *what in block.issues.iter_rows():
            _note(self._issues, line, *what)

    @property
    def is_clean(self) -> bool:
        """Whether every row and value would load as sent."""
        return not (self.fault or self.warnings or self.rejected or self.issues)


def check_files(contract: Contract, paths: Iterable[tuple[Path, date]]) -> list[FileReport]:
    """Read the files of a delivery as landing does, including joins."""
    reports, joined = [], _Joined(contract)
    for path, as_of_date in paths:
        delivered = DeliveredFile(contract.partner_id, as_of_date, path.name, path)
        try:
            files = logical_files(contract, delivered)
        except BaseException as error:
            files = [whole_file(delivered, fault_of(error))]
        for file in files:
            report = FileReport(file.file_name, Counts())
            _read(contract, file, report, joined)
            reports.append(report)
    joined.report()
    return reports


class _Joined:
    """The rows of joined files, with the reports on them."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._files: dict[str, tuple[FileReport, pl.DataFrame, date]] = {}

    def keep(
        self, item: ContractObject, report: FileReport, rows: list[pl.DataFrame], day: date
    ) -> None:
        """Keep the rows of a file; its report is completed by the join."""
        if item.name in self._contract.joined and rows:
            numbered = pl.concat(rows).with_columns(pl.lit(0, dtype=pl.Int64).alias("file_id"))
            self._files[item.name] = (report, numbered, day)

    def report(self) -> None:
        """Join the files, and add the join's faults to the reports."""
        if not self._files:
            return
        day = max(day for _, _, day in self._files.values())
        tables = Tables(day, spring_year(day))
        for item in self._contract.joined.values():
            kept = self._files.get(item.name)
            if kept is None:
                tables.add(item, as_rows(item, []))
                continue
            report, rows, _ = kept
            try:
                rows = tables.add(item, merge(item, rows, [0]))
            except SqlError as error:
                report.fault = FileError(Reason.FAILED_TRANSFORM, str(error))
                report.counts = report.counts.set_aside()
                continue
            if item.feeds:
                valid = apply_transforms(item, rows, day)
                report.counts = report.counts.after_join(valid, is_own=True)
                report.note(valid)
        tables.close()


def _read(contract: Contract, file: LogicalFile, report: FileReport, joined: _Joined) -> None:
    rows = []
    try:
        reading = FileReading(contract, file)
    except BaseException as error:
        report.fault = fault_of(error)
        return
    try:
        for block in reading.blocks():
            report.note(block)
            rows.append(block.values)
        report.warnings = reading.warnings
        report.counts = reading.counts
        if file.item:
            joined.keep(file.item, report, rows, file.delivered.as_of_date)
    except BaseException as error:
        report.fault = fault_of(error)
        report.counts = reading.counts.set_aside()


def _note(
    findings: Findings,
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
