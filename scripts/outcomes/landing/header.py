"""Maps a file's header to the contract's columns, by name."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from outcomes.contracts.model import ContractObject, ContractProperty
from outcomes.landing.reasons import FileError, Reason

# The column after a trailing delimiter; no property can have this name.
TRAILING = "^"

# At most so many names of a header are compared with a missing one.
_COMPARED = 500

# What else a file's columns may be between, and how a message names it.
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars (|)"}


@dataclass(frozen=True)
class Mapping:
    """The field of each column in a row; other fields are not read."""

    width: int
    field_of: dict[str, int]
    added: list[str]


def map_positions(item: ContractObject) -> Mapping:
    """The mapping of a file without header: by the contract's order or positions.

    The last position may be one that is ignored.
    """
    columns = item.columns
    field_of = {prop.name: (prop.position or n) - 1 for n, prop in enumerate(columns, start=1)}
    width = max([*field_of.values(), *(place - 1 for place in item.ignored_positions)]) + 1
    return _with_trailing(item, Mapping(width, field_of, []))


def map_header(item: ContractObject, header: list[str]) -> Mapping:
    """Find the contract's columns in a header, in any order.

    Case and white space around a name do not matter, unless they are the only difference of
    two names. An added column is not read, and named in a warning. Errors quote a name of the
    file only if it resembles the contract's, because the "header" may be a row of data.

    Raises:
        FileError: a column is missing, renamed, duplicated or without a name, or every
            delimiter is followed by a blank.
    """
    if len(header) > 1 and all(name.startswith(" ") for name in header[1:]):
        raise FileError(
            Reason.WRONG_LAYOUT,
            "expected no blank after the delimiters: values would begin with it",
        )
    if item.file.trailing_delimiter and header[-1].strip() == "":
        header = header[:-1]
    found = [plain(name) for name in header]
    places = {prop.name: _places(prop, found) for prop in item.columns}
    expected = [plain(prop.header) for prop in item.columns]
    missing = [plain(prop.header) for prop in item.columns if not places[prop.name]]
    if len(missing) == len(expected):
        if other := _other_delimiter(item, header, expected):
            raise another_delimiter(item.file.delimiter, other)
        raise FileError(
            Reason.HEADER_NOT_FOUND,
            f"expected a header with the columns {', '.join(expected)}; none of them is there",
        )
    if missing:
        is_line = item.file.format == "delimited"
        problem = describe_missing(missing, expected, found, is_line=is_line)
        raise FileError(Reason.HEADER_MISSING_COLUMN, problem)
    duplicates = [prop.header for prop in item.columns if len(places[prop.name]) > 1]
    if duplicates:
        raise FileError(
            Reason.HEADER_DUPLICATE_COLUMN, f"more than one column {', '.join(duplicates)}"
        )
    field_of = {name: place for name, (place,) in places.items()}
    ignored = {plain(name).lower() for name in item.ignored_columns}
    taken = set(field_of.values())
    added = {
        place: name
        for place, name in enumerate(found)
        if place not in taken and name.lower() not in ignored
    }
    for place, name in added.items():
        if not name:
            raise FileError(Reason.HEADER_BLANK_COLUMN, f"column {place + 1} has no name")
    return _with_trailing(item, Mapping(len(found), field_of, list(added.values())))


def _other_delimiter(item: ContractObject, header: list[str], expected: list[str]) -> str | None:
    """The delimiter between the columns of a header that the contract's does not split."""
    if item.file.format != "delimited" or len(header) > 1:
        return None
    wanted = {name.lower() for name in expected}
    for other in DELIMITERS:
        if wanted <= {plain(name).lower() for name in header[0].split(other)}:
            return other
    return None


def another_delimiter(expected: str, found: str) -> FileError:
    """The fault of a header with another delimiter than the contract's."""
    return FileError(
        Reason.WRONG_LAYOUT,
        f"expected columns between {_named(expected)}; the header has them between {_named(found)}",
    )


def _named(delimiter: str) -> str:
    return DELIMITERS.get(delimiter, f"the delimiter {delimiter}")


def _places(prop: ContractProperty, found: list[str]) -> list[int]:
    """Places of a column: its position, its name, or its name in another case."""
    name = plain(prop.header)
    if prop.position is not None:
        is_there = prop.position <= len(found) and found[prop.position - 1].lower() == name.lower()
        return [prop.position - 1] if is_there else []
    exact = [place for place, other in enumerate(found) if other == name]
    return exact or [place for place, other in enumerate(found) if other.lower() == name.lower()]


def _with_trailing(item: ContractObject, mapping: Mapping) -> Mapping:
    """The mapping with the field after the last delimiter, which must be empty."""
    if not item.file.trailing_delimiter:
        return mapping
    field_of = mapping.field_of | {TRAILING: mapping.width}
    return Mapping(mapping.width + 1, field_of, mapping.added)


@lru_cache(1 << 12)
def plain(name: str) -> str:
    """A name with composed accents, so that spellings in Unicode do not differ."""
    return unicodedata.normalize("NFC", name.strip())


def describe_missing(
    missing: list[str], expected: list[str], found: list[str], *, is_line: bool
) -> str:
    """Which columns are missing, and which of those found they may be."""
    strangers = {name.lower(): name for name in found[:_COMPARED] if name not in expected}
    hints = []
    for name in missing:
        close = difflib.get_close_matches(name.lower(), strangers, n=1)
        if not close:
            hints.append(name)
        elif is_line and name.lower() in close[0] and len(close[0]) > len(name):
            # If a line end was lost, the column also holds a value of the first row.
            hints.append(f"{name} (column {found.index(strangers[close[0]]) + 1} holds more?)")
        else:
            hints.append(f"{name} (renamed to {strangers[close[0]]}?)")
    return f"missing: {', '.join(hints)}"
