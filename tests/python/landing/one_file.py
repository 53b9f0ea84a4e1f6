"""One file, read by a contract that is made for it, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from outcomes.contracts.model import Contract
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.reading import FileReading
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
