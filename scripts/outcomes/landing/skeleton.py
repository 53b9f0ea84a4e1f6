"""Writes a first contract for a new district from sample files, to be completed by a person."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any

import yaml

from outcomes.errors import OutcomesError
from outcomes.landing import workbook
from outcomes.landing.delimited import read_record
from outcomes.landing.deliveries import DeliveredFile, printable
from outcomes.landing.json_lines import as_text, first_object
from outcomes.landing.kinds import is_workbook, looks_like_parquet, why_not_read
from outcomes.landing.parquet import ParquetFile
from outcomes.landing.proposals import (
    DATA,
    Layout,
    crosses_columns,
    describe,
    find_columns,
    find_table,
    find_trailer,
    looks_fixed,
    suggest,
)
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.text import LineReader, survey
from outcomes.landing.unpack import unknown_files

# The part of a sample that is read: as many bytes as a workbook may have, and enough rows.
_SAMPLE_BYTES = 64 << 20
_SAMPLE_ROWS = 100_000
_DELIMITERS = ",\t|;"
_FOOTER = re.compile(r"\W*(total|trailer|trl|eof|records)", re.IGNORECASE)
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
# Proposed from sample files. Complete every TODO, then see contracts/README.md: remove the
# columns that the agreement does not cover, or list them as ignoredColumns; bind the others to
# feeds; correct the guesses (required values, types, patterns, codes, null markers); classify
# the columns. Until the agreement's dates are correct, every file is quarantined. Say in
# slaProperties how often the district delivers: without it, nobody learns that files have
# stopped coming.
"""


@dataclass
class Skeleton:
    """A proposed contract, with notes to check and codes to map."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    codes: set[tuple[str, str]] = field(default_factory=set)


def write_skeleton(contract: Path, samples: Iterable[Path]) -> Skeleton:
    """Write a contract with the columns of sample files, and a crosswalk of their codes.

    Raises:
        OutcomesError: the contract exists, its name is not that of a contract, or a sample
            cannot be read.
    """
    partner_id = partner_of(contract)
    skeleton = Skeleton()
    for sample in samples:
        try:
            skeleton.objects += _objects(sample, skeleton)
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
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "w", "description": "TODO"},
            {"property": "latency", "value": 7, "unit": "d", "description": "TODO"},
        ],
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
        "schema": skeleton.objects,
    }
    text = _HEAD + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=88)
    write_contract(contract, text)
    if skeleton.codes:
        _write_crosswalk(crosswalk_of(contract), partner_id, skeleton.codes)
    return skeleton


def crosswalk_of(contract: Path) -> Path:
    """The file with the proposed crosswalk rows of a contract."""
    return contract.with_name(contract.name.removesuffix(".odcs.yaml") + ".crosswalk.csv")


def _write_crosswalk(file: Path, partner_id: str, codes: set[tuple[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["domain", "partner_id", "source_code", "code"])
        rows.writerows(
            [domain, partner_id, code, suggest(domain, code)] for domain, code in sorted(codes)
        )


def with_date_placeholders(name: str) -> str:
    """A file's name with its date replaced by the contract's placeholder."""
    for pattern, part in _DATES:
        name, found = pattern.subn(part, name, count=1)
        if found:
            break
    return name


def partner_of(contract: Path) -> str:
    """The partner's id, from the file name of its contract.

    Raises:
        OutcomesError: it is not such a name.
    """
    partner_id = contract.name.removesuffix(".odcs.yaml")
    if partner_id == contract.name or not partner_id.replace("_", "").isalnum():
        raise OutcomesError(f"{contract}: expected a name such as steel_valley.odcs.yaml.")
    return partner_id


def write_contract(contract: Path, text: str) -> None:
    """Write a new contract.

    Raises:
        OutcomesError: the file exists, or cannot be written.
    """
    try:
        with contract.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutcomesError(f"{contract} exists; it was not changed.") from None
    except OSError as error:
        raise OutcomesError(f"{contract} cannot be written: {error.strerror}.") from None


def _objects(sample: Path, skeleton: Skeleton) -> Iterator[dict[str, Any]]:
    for file in unknown_files(DeliveredFile("", date.min, sample.name, sample)):
        if file.fault and file.fault.reason is not Reason.UNKNOWN_FILE:
            raise file.fault
        layout, name = {"name": with_date_placeholders(sample.name)}, sample.name
        if sample.name.lower().endswith(".zip"):
            name = file.file_name.removeprefix(f"{sample.name}/")
            layout |= {"compression": "zip", "member": with_date_placeholders(name)}
        elif sample.name.lower().endswith(".gz"):
            name = sample.stem
            layout |= {"compression": "gzip"}
        with file.open() as stream:
            content = stream.read(_SAMPLE_BYTES)
        if is_workbook(content) or name.lower().endswith(".xlsx"):
            yield from _sheets(layout, content, skeleton)
            continue
        own = _object_name(name)
        if problem := why_not_read(content, is_packed="compression" in layout):
            raise FileError(Reason.WRONG_LAYOUT, f"{printable(name)} is {problem}")
        if looks_like_parquet(content):
            yield _parquet(own, layout, sample, skeleton)
        elif found := _json_lines(content):
            yield _columns(own, {**layout, "format": "json_lines"}, found, skeleton)
        else:
            yield _text(own, layout, content, skeleton)


def _json_lines(content: bytes) -> dict[str, list[str] | None] | None:
    """The values by key, if the first line is an object; None for a key of lists or objects."""
    reader = LineReader(io.BytesIO(content), "utf-8", survey(io.BytesIO(content), "utf-8").newline)
    lines = (line for _, batch in reader for line in batch if line.strip())
    first = next(lines, "")
    if not first.lstrip().startswith("{") or first_object(first) is None:
        return None
    objects = [first_object(line) or {} for line in islice(chain([first], lines), _SAMPLE_ROWS)]
    found: dict[str, list[str] | None] = {}
    for key in dict.fromkeys(key for item in objects for key in item):
        values = [as_text(item.get(key)) for item in objects]
        found[key] = None if workbook.UNREADABLE in values else [value or "" for value in values]
    return found


def _parquet(name: str, layout: dict[str, Any], sample: Path, skeleton: Skeleton) -> dict[str, Any]:
    found = ParquetFile(sample).first_values(_SAMPLE_ROWS)
    return _columns(name, {**layout, "format": "parquet"}, found, skeleton)


def _columns(
    name: str, layout: dict[str, Any], found: dict[str, list[str] | None], skeleton: Skeleton
) -> dict[str, Any]:
    """An object of columns with their values; those whose values are not read are ignored."""
    ignored = [column for column, values in found.items() if values is None]
    if ignored:
        skeleton.notes.append(
            f"{name}: {', '.join(map(printable, ignored))} cannot be read and is ignored."
        )
    properties = [
        _property(column, values, skeleton)
        for column, values in found.items()
        if values is not None
    ]
    return _document(name, layout, properties, ignored)


def _object_name(name: str) -> str:
    """A file's name without its ending and its date."""
    return re.sub(r"[-_.]*\{[^}]*\}", "", with_date_placeholders(name)).split(".")[0] or name


def _sheets(layout: dict[str, Any], content: bytes, skeleton: Skeleton) -> Iterator[dict[str, Any]]:
    for sheet in workbook.sheet_names(io.BytesIO(content)):
        found = workbook.read_sheet(io.BytesIO(content), sheet)[:_SAMPLE_ROWS]
        merged = {n for row in found for n, cell in enumerate(row) if workbook.is_merged(cell)}
        rows = [workbook.readable(row) for row in found]
        table = find_table(rows)
        own = {**layout, "format": "workbook", "sheet": sheet}
        yield _object(sheet, own, rows, table, skeleton, merged)


def _text(name: str, layout: dict[str, Any], content: bytes, skeleton: Skeleton) -> dict[str, Any]:
    encoding = encoding_of(content)
    newline = survey(io.BytesIO(content), encoding).newline
    reader = LineReader(io.BytesIO(content), encoding, newline)
    lines = chain.from_iterable(batch for _, batch in reader)
    texts = [line.removesuffix("\r") for line in islice(lines, _SAMPLE_ROWS)]
    if not any(text.strip() for text in texts):
        raise FileError(Reason.EMPTY_FILE, "expected a header; the file has no line")
    layout = {**layout, "encoding": encoding}
    delimiter = delimiter_of(texts)
    filled = [text for text in texts if text.strip()]
    is_ragged = 2 * _agreement(texts, delimiter) < len(filled)
    # The last line may be a trailer, which crosses the columns.
    if is_ragged and (looks_fixed(filled) or (filled[2:] and looks_fixed(filled[:-1]))):
        return _fixed(name, layout, texts, skeleton)
    rows, index = [], 0
    while index < len(texts):
        record = read_record(texts, index, delimiter, newline)
        rows += [[field or "" for field in record.fields]]
        rows += [[] for _ in range(record.last - index)]
        index = record.last + 1
    table = find_table(rows)
    if table.is_trailed:
        layout["trailingDelimiter"] = True
        width = max(map(len, rows)) - 1
        rows = [row[:width] for row in rows]
    elif table.header is not None and _is_short(rows, table):
        # R writes files like this: the header lacks the name of the first column.
        skeleton.notes.append(f"{name}: the first column has no name in the header.")
        layout["skipLines"] = re.escape(texts[table.header].strip())
        table = replace(table, header=None)
    return _object(name, {**layout, "delimiter": delimiter}, rows, table, skeleton)


def _is_short(rows: list[list[str]], table: Layout) -> bool:
    """Whether rows have one field more than their header."""
    widths = Counter(len(row) for row in rows[table.first : table.last + 1] if any(row))
    return len(rows[table.header or 0]) + 1 == widths.most_common(1)[0][0] if widths else False


def delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter that occurs equally often in most lines."""
    return max(_DELIMITERS, key=lambda mark: _agreement(lines, mark))


def _agreement(lines: Sequence[str], mark: str) -> int:
    """The number of lines with the most common number of occurrences of a mark."""
    counts = Counter(line.count(mark) for line in lines if mark in line)
    return counts.most_common(1)[0][1] if counts else 0


def _fixed(
    name: str, layout: dict[str, Any], lines: list[str], skeleton: Skeleton
) -> dict[str, Any]:
    filled = [line for line in lines if line.strip()]
    # Titles and totals cross the columns: they are shorter, or begin with a word.
    usual = Counter(len(line.rstrip()) // 8 for line in filled).most_common(1)[0][0]
    body = [line for line in filled if abs(len(line.rstrip()) // 8 - usual) <= 2] or filled
    has_header = len(body) > 1 and not DATA.search(body[0]) and bool(DATA.search(body[1]))
    footers = [line for line in filled[-3:] if _FOOTER.match(line)]
    last, others = filled[-1], [line for line in body if line is not filled[-1]]
    may_trail = footers or [last] * (last not in body or crosses_columns(last, others))
    data = [line for line in body[has_header:] if line not in may_trail]
    trailers = [line for line in may_trail if find_trailer(line, len(data))][-1:]
    footers = [line for line in footers if line not in trailers]
    data = [line for line in body[has_header:] if line not in [*trailers, *footers]]
    columns = find_columns([*data, *(body[:1] if has_header else [])])
    layout |= {"format": "fixed_width", "quoting": False, "header": has_header}
    lengths = {len(line) for line in data}
    layout["lineWidth"] = max(lengths)
    if len(lengths) > 1:
        layout["trimmedLines"] = True
    above = lines.index(body[0])
    if above:
        layout["headerRow" if has_header else "skipLines"] = above + 1 if has_header else "TODO"
    if footers:
        layout["footer"] = "|".join(re.escape(line.split()[0]) + ".*" for line in footers)
    if trailers:
        layout["trailer"] = find_trailer(trailers[0], len(data))
        skeleton.notes.append(
            f"{name}: the last line is used as the trailer, with the number of rows"
            + (" and the as-of date." if "dateFormat" in layout["trailer"] else ".")
        )
    skeleton.notes.append(
        f"{name}: {len(columns)} columns of fixed width, separated by blanks. Columns without a "
        "blank between them appear as one: compare with the district's record layout."
    )
    rows = [[line[start:end] for start, end in columns] for line in data]
    names = [body[0][start:end].strip() for start, end in columns] if has_header else []
    found = []
    for number, (start, end) in enumerate(columns):
        column = names[number] if has_header and names[number] else f"column_{number + 1}"
        prop = _property(column, [row[number] for row in rows], skeleton)
        prop["customProperties"] += [
            {"property": "start", "value": start + 1},
            {"property": "width", "value": end - start},
        ]
        found.append(prop)
    return _document(name, layout, found)


def _object(
    name: str,
    layout: dict[str, Any],
    rows: list[list[str]],
    table: Layout,
    skeleton: Skeleton,
    merged: Collection[int] = (),
) -> dict[str, Any]:
    body = [row for row in rows[table.first : table.last + 1] if any(row)]
    if table.header is None:
        # The first row is a person's record, which must not get into a contract.
        layout = {**layout, "header": False}
        header = [f"column_{number}" for number in range(1, max(map(len, body), default=0) + 1)]
    else:
        header = [column.strip() for column in rows[table.header]]
        if table.header:
            layout = {**layout, "headerRow": table.header + 1}
            skeleton.notes.append(
                f"{name}: row {table.header + 1} is used as the header, rows above it as titles."
            )
    if table.footer:
        layout = {**layout, "footer": table.footer}
        skeleton.notes.append(f"{name}: rows below row {table.last + 1} are used as totals.")
    if not any(header):
        raise OutcomesError(f"{layout['name']}: {name} has no header to take columns from.")
    found, ignored = [], []
    for place, column in enumerate(header):
        values = [row[place] if place < len(row) else "" for row in body]
        if not column and not any(values):
            ignored = [""]
            continue
        known_as = column or f"column_{place + 1}"
        is_again = column in header[:place]
        prop = _property(f"{known_as} {place + 1}" if is_again else known_as, values, skeleton)
        if not column or is_again or header.count(column) > 1:
            prop["physicalName"] = column
            prop["customProperties"].append({"property": "position", "value": place + 1})
        if place in merged:
            prop["customProperties"].append({"property": "fillDown", "value": True})
        found.append(prop)
    return _document(name, layout, found, ignored)


def _property(name: str, values: Sequence[str], skeleton: Skeleton) -> dict[str, Any]:
    column = describe(name, values)
    if column.domain:
        skeleton.codes |= {(column.domain, code) for code in column.codes}
    custom = [{"property": key, "value": value} for key, value in column.custom.items()]
    return {
        "name": name,
        **column.property,
        "classification": "direct_identifier",
        "customProperties": custom,
    }


def _document(
    name: str,
    layout: dict[str, Any],
    properties: list[dict[str, Any]],
    ignored: list[str] | None = None,
) -> dict[str, Any]:
    custom: list[dict[str, Any]] = [
        {"property": "file", "value": layout},
        {"property": "snapshot", "value": "school_year"},
    ]
    if ignored:
        custom.append({"property": "ignoredColumns", "value": ignored})
    for prop in properties:
        if not prop["customProperties"]:
            del prop["customProperties"]
    return {"name": name, "customProperties": custom, "properties": properties}


def encoding_of(content: bytes) -> str:
    """A guess for a person to confirm; the loader itself never guesses."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
