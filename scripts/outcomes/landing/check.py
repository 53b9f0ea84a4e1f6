"""A report on files before a district's first delivery.

They land in a temporary warehouse, so the report says what landing itself would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg

from outcomes.contracts.model import Contract
from outcomes.contracts.reader import load_contract, load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.deliveries import DeliveredFile, delivered_file, printable
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


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one column, with the number of its rows and its first lines."""

    reason_code: str
    column: str | None
    detail: str
    rows: int
    lines: list[int]


@dataclass(frozen=True)
class FileReport:
    """The outcome of one file, with the reasons for rejected rows and for nulled values."""

    outcome: Outcome
    rejected: list[Finding]
    issues: list[Finding]
    unconfirmed: list[UnconfirmedPosition]

    @property
    def needs_a_person(self) -> bool:
        """Whether the file would not be loaded, or not all of its rows."""
        return self.outcome.needs_a_person or bool(self.rejected)


def check_samples(contract: Path, samples: Sequence[Path], as_of: date | None) -> list[FileReport]:
    """What landing makes of sample files anywhere; the day is given, or their folders' or today.

    Raises:
        OutcomesError: the contract cannot be used, or a file cannot be read.
    """
    partner = load_contract(contract)
    if partner.names_districts:
        partner = partner.with_districts(load_contracts().district_ids)
    for sample in samples:
        if not sample.is_file():
            raise OutcomesError(f"{printable(sample)} is not a file. Give the files to be checked.")
        try:
            sample.open("rb").close()
        except OSError as error:
            raise OutcomesError(f"{printable(sample)} cannot be read: {error.strerror}.") from None
    files = [delivered_file(sample, partner.partner_id, as_of) for sample in samples]
    return check_files(partner, files)


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
        names = {
            outcome.file_id: f"{outcome.file_name} of {outcome.as_of_date}" for _, outcome in found
        }
        return [_report(warehouse, contract, file, outcome, names) for (file, _), outcome in found]


def _delivered(outcome: Outcome, files: Iterable[DeliveredFile]) -> DeliveredFile:
    """The delivered file of an outcome, whose name may go on with that of a member or sheet."""
    return next(
        file for file in files
        if file.as_of_date == outcome.as_of_date
        and f"{outcome.file_name}/".startswith(f"{file.name}/")
    )  # fmt: skip


def _report(
    warehouse: psycopg.Connection,
    contract: Contract,
    file: DeliveredFile,
    outcome: Outcome,
    names: Mapping[int | None, str],
) -> FileReport:
    if outcome.file_id is None:
        return _read_again(contract, file, outcome)

    def named(faults: Iterable[Fault]) -> Iterator[Fault]:
        # The numbers of files are those of the temporary warehouse.
        for line, reason, column, detail in faults:
            named = ROW_OF_FILE.sub(lambda match: f"in a row of {names[int(match[1])]}: ", detail)
            yield line, reason, column, named

    rejected, issues = (
        warehouse.execute(
            f"select {line}, reason_code, column_name, coalesce(detail, '') from landing.{table} "  # noqa: S608 - of the pairs below
            f"where file_id = %s order by {line}".encode(),
            [outcome.file_id],
        )
        for table, line in (("rejected_rows", "line_start"), ("value_issues", "line_number"))
    )
    unconfirmed = _unconfirmed(contract, file, outcome)
    return FileReport(outcome, _findings(named(rejected)), _findings(named(issues)), unconfirmed)


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
    unconfirmed = _unconfirmed(contract, file, outcome)
    return FileReport(outcome, _findings(rejected), _findings(issues), unconfirmed)


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
    lines: dict[tuple[str, str | None, str], list[int]] = {}
    for line, reason, column, detail in faults:
        lines.setdefault((reason, column, detail), []).append(line)
    return [
        Finding(*kind, rows=len(found), lines=found[:LISTED_LINES]) for kind, found in lines.items()
    ]
