"""Maps a file's header to the contract's columns, by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from outcomes.contracts.model import ContractObject
from outcomes.landing.reasons import FileError, Reason


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
        FileError: a column is missing, renamed, twice there or without a name.
    """
    found = [name.strip() for name in header]
    expected = [prop.name for prop in item.columns]
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
    return Mapping(len(found), {name: found.index(name) for name in expected}, added)


def _describe_missing(missing: list[str], expected: list[str], found: list[str]) -> str:
    strangers = [name for name in found if name not in expected]
    hints = []
    for name in missing:
        close = difflib.get_close_matches(name.lower(), [s.lower() for s in strangers], n=1)
        renamed = next((s for s in strangers if close and s.lower() == close[0]), None)
        hints.append(f"{name} (renamed to {renamed}?)" if renamed else name)
    return f"missing: {', '.join(hints)}"
