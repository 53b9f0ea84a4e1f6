"""A first contract for a new district, from sample files: a person completes it."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from outcomes.errors import OutcomesError
from outcomes.landing import workbook
from outcomes.landing.delimited import read_header
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.text import LineReader, survey
from outcomes.landing.unpack import unknown_files

# Of a sample, so much is read: as much as a workbook may have.
_SAMPLE_BYTES = 64 << 20
_DELIMITERS = ",\t|;"
# An id or a date: no header has these, and hardly a student's record has neither.
_DATA = re.compile(r"\d{5}|\d[-/.]\d")
STANDARDS = ("oneroster-1.1", "oneroster-1.2")
# Dates in file names.
_DATES = (
    (
        re.compile(r"(?<!\d)20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])([01]\d|2[0-3])[0-5]\d(?!\d)"),
        "{as_of:yyyyMMdd}{sent_at:HHmm}",
    ),
    (re.compile(r"(?<!\d)20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)"), "{as_of:yyyyMMdd}"),
    (re.compile(r"(?<!\d)20\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])(?!\d)"), "{as_of:yyyy-MM-dd}"),
)
_HEAD = """\
# A skeleton, made from sample files. Complete what says TODO, then what README.md explains:
# remove the columns that the agreement does not cover, or list them as ignoredColumns; bind
# the others to feeds; say which are required, their types, patterns and codes; classify
# them. Dates in file names become parts such as {as_of:yyyyMMdd}. Until the agreement's
# dates are right, every file is quarantined.
"""


def write_skeleton(contract: Path, samples: Iterable[Path]) -> int:
    """Write a contract that lists the columns of sample files; the number of objects.

    Raises:
        OutcomesError: the contract exists, its name is no contract's, or a sample cannot be
            read.
    """
    partner_id = _partner_id(contract)
    objects = []
    for sample in samples:
        try:
            objects += list(_objects(sample))
        except FileError as fault:
            raise OutcomesError(f"{sample}: {fault.detail}.") from None
        except OSError as error:
            raise OutcomesError(f"{sample} cannot be read: {error.strerror or error}.") from None
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": partner_id,
        "name": f"TODO {partner_id}",
        "version": "0.1.0",
        "status": "draft",
        "customProperties": [
            {"property": "partnerKind", "value": "district"},
            {"property": "aun", "value": "TODO"},
            {
                "property": "agreement",
                "value": {
                    "signedOn": date(1900, 1, 1),
                    "startsOn": date(1900, 1, 1),
                    "endsOn": date(1900, 1, 1),
                    "purposes": ["audit_and_evaluation"],
                },
            },
        ],
        "schema": objects,
    }
    text = _HEAD + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=88)
    _write(contract, text)
    return len(objects)


def write_standard(contract: Path, standard: str, samples: Sequence[Path]) -> None:
    """Write the contract for an export in a standard, under the name of a sample.

    Raises:
        OutcomesError: there is no such standard, or what `write_skeleton` raises.
    """
    if standard not in STANDARDS:
        raise OutcomesError(f"--standard: expected one of {', '.join(STANDARDS)}.")
    if len(samples) > 1:
        raise OutcomesError("Give one sample: the zip archive of the export.")
    partner_id = _partner_id(contract)
    sample = samples[0].name if samples else "oneroster_20120901.zip"
    template = resources.files("outcomes.contracts").joinpath(f"standards/{standard}.yaml")
    name = partner_id.replace("_", " ").title()
    text = template.read_text("utf-8").format(
        partner_id=partner_id, name=name, file_name=_dated(sample)
    )
    _write(contract, text)


def _dated(name: str) -> str:
    """A file's name with a date in it as the contract writes it."""
    for pattern, part in _DATES:
        name, found = pattern.subn(part, name, count=1)
        if found:
            break
    return name


def _partner_id(contract: Path) -> str:
    partner_id = contract.name.removesuffix(".odcs.yaml")
    if partner_id == contract.name or not partner_id.replace("_", "").isalnum():
        raise OutcomesError(f"{contract}: expected a name such as steel_valley.odcs.yaml.")
    return partner_id


def _write(contract: Path, text: str) -> None:
    try:
        with contract.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutcomesError(f"{contract} exists; it is left as it is.") from None
    except OSError as error:
        raise OutcomesError(f"{contract} cannot be written: {error.strerror}.") from None


def _objects(sample: Path) -> Iterator[dict[str, Any]]:
    for file in unknown_files(DeliveredFile("", date.min, sample.name, sample)):
        if file.fault and file.fault.reason is not Reason.UNKNOWN_FILE:
            raise file.fault
        layout, name = {"name": sample.name}, sample.name
        if sample.name.lower().endswith(".zip"):
            name = file.file_name.removeprefix(f"{sample.name}/")
            layout |= {"compression": "zip", "member": name}
        elif sample.name.lower().endswith(".gz"):
            name = sample.stem
            layout |= {"compression": "gzip"}
        with file.stream() as stream:
            content = stream.read(_SAMPLE_BYTES)
        if name.lower().endswith(".xlsx"):
            yield from _sheets(layout, content)
        else:
            yield _delimited(name.split(".")[0], layout, content)


def _sheets(layout: dict[str, Any], content: bytes) -> Iterator[dict[str, Any]]:
    for sheet in workbook.sheet_names(io.BytesIO(content)):
        rows = workbook.read_sheet(io.BytesIO(content), sheet)
        header = next((row for row in rows if any(row)), [])
        yield _object(sheet, {**layout, "format": "workbook", "sheet": sheet}, header)


def _delimited(name: str, layout: dict[str, Any], content: bytes) -> dict[str, Any]:
    encoding = _encoding(content)
    newline = survey(io.BytesIO(content), encoding).newline
    reader = LineReader(io.BytesIO(content), encoding, newline)
    first, lines = next(reader, (1, pl.Series(dtype=pl.String)))
    reader.push_back(first, lines)
    top = next(iter(lines.to_list()), None) or ""
    delimiter = max(_DELIMITERS, key=top.count)
    header = read_header(reader, delimiter, quoting=True).names
    if len(header) == 1 and _DATA.search(header[0]):
        raise OutcomesError(
            f"{layout['name']}: the first line is no header, and nothing divides it: a file of "
            "fixed width? Nobody but its author knows where columns begin. Leave it out here, "
            "and write its object by hand: contracts/README.md, `fixed_width`."
        )
    layout = {**layout, "format": "delimited", "encoding": encoding, "delimiter": delimiter}
    return _object(name, layout, header)


def _object(name: str, layout: dict[str, Any], header: list[str]) -> dict[str, Any]:
    if any(_DATA.search(column) for column in header):
        # A person's record, which must not get into a contract.
        layout = {**layout, "header": False}
        header = [f"column_{number}" for number in range(1, len(header) + 1)]
    columns = list(dict.fromkeys(column.strip() for column in header if column.strip()))
    if not columns:
        raise OutcomesError(f"{layout['name']}: {name} has no header to take columns from.")
    return {
        "name": name,
        "customProperties": [
            {"property": "file", "value": layout},
            {"property": "snapshot", "value": "school_year"},
        ],
        "properties": [
            {"name": column, "logicalType": "string", "classification": "direct_identifier"}
            for column in columns
        ],
    }


def _encoding(content: bytes) -> str:
    """What a person should confirm: the loader itself never guesses."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
