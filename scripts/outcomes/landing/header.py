"""Maps a file's header to the contract's columns, by name."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass

from outcomes.contracts.model import ContractObject
from outcomes.landing.reasons import FileError, Reason

# Of a header of any width, so many names are compared with one that is missing.
_COMPARED = 500


@dataclass(frozen=True)
class Mapping:
    """Which field of a row is which column; everything else is left unread."""

    width: int
    field_of: dict[str, int]
    added: list[str]


def map_positions(item: ContractObject) -> Mapping:
    """The mapping of a file without header: the contract's order."""
    columns = item.columns
    return Mapping(len(columns), {prop.name: n for n, prop in enumerate(columns)}, [])


def map_header(item: ContractObject, header: list[str]) -> Mapping:
    """Find the contract's columns in a header, in whatever order they come.

    An added column is kept out and named in a warning. Names of the file are quoted only
    where they resemble the contract's: a "header" can be a row of data.

    Raises:
        FileError: a column is missing, renamed, twice there or without a name, or every
            delimiter is followed by a blank.
    """
    if len(header) > 1 and all(name.startswith(" ") for name in header[1:]):
        raise FileError(
            Reason.WRONG_LAYOUT,
            "expected fields next to the delimiter; a blank follows each, with which values "
            "would begin",
        )
    found = [_plain(name) for name in header]
    expected = [_plain(prop.name) for prop in item.columns]
    missing = [name for name in expected if name not in found]
    if len(missing) == len(expected):
        raise FileError(
            Reason.HEADER_NOT_FOUND,
            f"expected a header with the columns {', '.join(expected)}; none of them is there",
        )
    if missing:
        raise FileError(Reason.HEADER_MISSING_COLUMN, _describe_missing(missing, expected, found))
    duplicates = [name for name in expected if found.count(name) > 1]
    if duplicates:
        raise FileError(
            Reason.HEADER_DUPLICATE_COLUMN, f"more than one column {', '.join(duplicates)}"
        )
    if "" in found:
        raise FileError(Reason.HEADER_BLANK_COLUMN, f"column {found.index('') + 1} has no name")
    added = [name for name in found if name not in expected and name not in item.ignored_columns]
    field_of = {prop.name: found.index(_plain(prop.name)) for prop in item.columns}
    return Mapping(len(found), field_of, added)


def _plain(name: str) -> str:
    """A name whose accents are composed, so that it is equal however it was typed."""
    return unicodedata.normalize("NFC", name.strip())


def _describe_missing(missing: list[str], expected: list[str], found: list[str]) -> str:
    strangers = {name.lower(): name for name in found[:_COMPARED] if name not in expected}
    hints = []
    for name in missing:
        close = difflib.get_close_matches(name.lower(), strangers, n=1)
        if not close:
            hints.append(name)
        elif name.lower() in close[0] and len(close[0]) > len(name):
            # More than the name: the first row's value, where the line end was lost.
            hints.append(f"{name} (column {found.index(strangers[close[0]]) + 1} holds more?)")
        else:
            hints.append(f"{name} (renamed to {strangers[close[0]]}?)")
    return f"missing: {', '.join(hints)}"
