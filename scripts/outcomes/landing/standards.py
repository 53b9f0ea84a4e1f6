"""Writes the contract of a district whose files follow a standard."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outcomes.contracts.standards import STANDARDS, contract_text
from outcomes.errors import OutcomesError
from outcomes.landing.skeleton import (
    delimiter_of,
    encoding_of,
    partner_of,
    with_date_placeholders,
    write_contract,
)

_PIMS_NAME = re.compile(r"([0-9]{9})_(?:PIMS_)?([A-Z][A-Z_]*[A-Z])_[0-9]{12}\.(?:csv|txt)", re.I)
_PIMS_TIME = re.compile(r"_[0-9]{12}\.")
# A number, a date or a code of digits: every row of a template has some, no title has.
_DIGITS_ONLY = re.compile(r"[\W\d_]*\d[\W\d_]*")
# The templates that a contract reads, with the number of fields in the manual.
_PIMS_FIELDS = {
    "STUDENT": 217,
    "STUDENT_SNAPSHOT": 217,
    "SCHOOL_ENROLL": 10,
    "STUDENT_CALENDAR_FACT": 16,
    "PROGRAMS_FACT": 18,
    "PERSON": 10,
    "INCIDENT": 25,
    "INCIDENT_OFFNDR_DSPLNRY_ACTION": 11,
}
_PIMS_CHANGES = {"2012": {"INCIDENT": 16}}
_DISCIPLINE = {"PERSON", "INCIDENT", "INCIDENT_OFFNDR_DSPLNRY_ACTION"}
# As many bytes of a sample as tell its layout.
_SAMPLE_BYTES = 4 << 20


def write_standard(contract: Path, standard: str, samples: Sequence[Path]) -> None:
    """Write the contract for a standard's files, with what samples tell about them.

    Raises:
        OutcomesError: the standard is unknown, a sample is not one of its files, the contract
            exists, or its name is not that of a contract.
    """
    if standard not in STANDARDS:
        raise OutcomesError(f"--standard: expected one of {', '.join(STANDARDS)}.")
    partner_id = partner_of(contract)
    known = STANDARDS[standard]
    found = _oneroster(samples) if known.family == "oneroster" else _pims(samples, known.version)
    write_contract(contract, contract_text(standard, partner_id, **found))


def _oneroster(samples: Sequence[Path]) -> dict[str, Any]:
    if len(samples) > 1:
        raise OutcomesError("Give one sample: the zip archive of the export.")
    sample = samples[0].name if samples else "oneroster_20120901.zip"
    return {"file_name": with_date_placeholders(sample)}


def _pims(samples: Sequence[Path], version: str) -> dict[str, Any]:
    """The district's number, its templates, and how their files are written.

    Without samples, the contract has all templates that it can read.
    """
    found: dict[str, Path] = {}
    numbers = set()
    for sample in samples:
        named = _PIMS_NAME.fullmatch(sample.name)
        if named is None:
            raise OutcomesError(
                f"{sample.name} is not named like a PIMS file. Expected the district's number, "
                "the template, and date and time: 123456789_STUDENT_202510151430.csv."
            )
        numbers.add(named[1])
        found[named[2].upper()] = sample
    if len(numbers) > 1:
        raise OutcomesError(f"The samples are of {len(numbers)} districts. Give those of one.")
    aun = numbers.pop() if numbers else None
    templates = list(found) or [name for name in _PIMS_FIELDS if name != "STUDENT_SNAPSHOT"]
    references = {name for name in templates if name not in _PIMS_FIELDS}
    if not set(templates) >= _DISCIPLINE:
        references |= _DISCIPLINE & set(templates)
    if {"STUDENT", "STUDENT_SNAPSHOT"} <= set(templates):
        references.add("STUDENT_SNAPSHOT")
    layouts = {name: _layout(sample) for name, sample in found.items() if name not in references}
    if "STUDENT" not in templates and "STUDENT_SNAPSHOT" not in templates:
        raise OutcomesError("Give a sample of the STUDENT template, too: it names the students.")
    usual = next((layout for layout in layouts.values() if "fields" in layout), {})
    if layouts and not usual:
        raise OutcomesError("Give a sample with rows: none of these has any.")
    return {
        "aun": aun,
        "templates": sorted(set(templates) - references, key=list(_PIMS_FIELDS).index),
        "references": sorted(references),
        "file_names": {
            # The time at which the file was made, not the day of its delivery.
            name: _PIMS_TIME.sub(
                "_{sent_at:yyyyMMddHHmm}.",
                found[name].name if name in found else f"{aun or 'TODO'}_{name}_201210051930.csv",
            )
            for name in templates
        },
        "fields": {
            name: layouts.get(name, {}).get("fields", fields)
            for name, fields in (_PIMS_FIELDS | _PIMS_CHANGES.get(version, {})).items()
        },
        "encoding": usual.get("encoding", "utf-8"),
        "delimiter": usual.get("delimiter", ","),
        # The title as sent: a pattern would take a broken first row for a title, too.
        "titles": {name: layout.get("title") for name, layout in layouts.items()},
    }


def _layout(sample: Path) -> dict[str, Any]:
    """How a sample is written; one without rows tells nothing but its title."""
    try:
        with sample.open("rb") as stream:
            content = stream.read(_SAMPLE_BYTES)
    except OSError as error:
        raise OutcomesError(f"{sample} cannot be read: {error.strerror or error}.") from None
    encoding = encoding_of(content)
    # The last line may be cut off.
    text = content.decode(encoding, "replace").removeprefix("\ufeff")
    lines = [line for line in text.splitlines() if line.strip()]
    if not content:
        raise OutcomesError(f"{sample} is empty.")
    if not lines:
        return {}
    has_title = re.match(r'"?[0-9]{9}', lines[0]) is None
    delimiter = delimiter_of(lines)
    if has_title and any(map(_DIGITS_ONLY.fullmatch, lines[0].split(delimiter))):
        # A title is written into the contract: a child's row must not be.
        raise OutcomesError(
            f"{sample.name}: the first line is no title, as it has values, and does not begin "
            "with the district's number of 9 digits. Correct that line in the sample or delete it, "
            "then try again."
        )
    rows = csv.reader(lines[1:] if has_title else lines, delimiter=delimiter)
    widths = Counter(len(row) for row in rows)
    title = re.escape(lines[0].strip()) if has_title else None
    if not widths:
        return {"title": title}
    return {
        "encoding": encoding,
        "delimiter": delimiter,
        "fields": widths.most_common(1)[0][0],
        "title": title,
    }
