"""Files as they are read, without a database: by a contract made for them, or the partners'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from outcomes.contracts.model import Contract
from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import DeliveredFile, find_deliveries
from outcomes.landing.reading import Counts, FileReading
from outcomes.landing.reasons import FileError
from outcomes.landing.unpack import logical_files

DAY = date(2012, 10, 1)


def contract_for(
    columns: Mapping[str, Mapping[str, Any]], file: Mapping[str, Any], **more: Any
) -> Contract:
    """A contract of one object, which fills the columns c0, c1, … of a feed `rows`.

    Its columns are free text unless they say otherwise.
    """
    usual = {"logicalType": "string", "classification": "none"}
    properties = [
        {"name": name, "feeds": [f"rows.c{n}"], **usual, **column}
        for n, (name, column) in enumerate(columns.items())
    ]
    item = {"name": "rows", "snapshot": "delta", "file": file, "properties": properties, **more}
    return Contract.model_validate(
        {
            "partnerId": "p", "name": "p", "version": "1", "path": Path("p"),
            "partnerKind": "project", "objects": [item],
        }
    )  # fmt: skip


def reading_of(contract: Contract, path: Path) -> FileReading:
    """The reading of a file that is one logical file."""
    (file,) = logical_files(contract, DeliveredFile("p", DAY, path.name, path))
    return FileReading(contract, file)


@dataclass
class Read:
    """What landing would store of a logical file, and the fault that sets it aside."""

    file_name: str
    counts: Counts
    fault: FileError | None = None
    feeds: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    # Line, last line, reason and column of every rejected row.
    rejected: list[tuple[int, int, str, str | None]] = field(default_factory=list)
    # Line, reason and column of every value that becomes null.
    issues: list[tuple[int, str, str | None]] = field(default_factory=list)

    @property
    def reason(self) -> str | None:
        """Why the file is quarantined."""
        return self.fault.reason.value if self.fault else None


def read_deliveries(drops: Path, contracts: Mapping[str, Contract] | None = None) -> list[Read]:
    """Every logical file below a path, by the partners' contracts; in the order of landing."""
    contracts = contracts or _partners_contracts()
    return [
        _read(FileReading(contracts[delivered.partner_id], file))
        for delivered in find_deliveries(drops, contracts).files
        for file in logical_files(contracts[delivered.partner_id], delivered)
    ]


@cache
def _partners_contracts() -> Mapping[str, Contract]:
    return load_contracts()


def _read(reading: FileReading) -> Read:
    read = Read(reading.file.file_name, reading.counts)
    try:
        for block in reading.blocks():
            for feed, rows in block.feeds.items():
                read.feeds.setdefault(feed, []).extend(rows.to_dicts())
            read.rejected += block.rejected.drop("detail").rows()
            read.issues += block.issues.drop("detail", strict=False).rows()
    except FileError as fault:
        read.fault = fault
    read.rejected.sort()
    return read
