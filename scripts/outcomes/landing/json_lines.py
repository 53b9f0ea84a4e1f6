"""A strict reader for JSON Lines: one object a line, whose keys are the columns.

Values stay as they are written, to the last digit. A key that occurs twice, `NaN`, and whatever
else is no JSON reject the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from outcomes.contracts.model import ContractObject
from outcomes.landing.header import describe_missing, plain
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import REJECTED, Block, empty_rows
from outcomes.landing.text import UNDECODABLE, LineReader
from outcomes.landing.workbook import UNREADABLE

# Every line of a file could have other keys, and many; only so many are remembered.
_MOST_KINDS = 1_000
_MOST_KEYS = 1_000
_MOST_ADDED = 100

_WORDS = {True: "true", False: "false"}


class _BadLineError(ValueError):
    """A line that is no row; the reason, and what was expected."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Keys:
    """The keys of a file's objects, as far as they are columns of the contract."""

    def __init__(self, item: ContractObject) -> None:
        self._names = [plain(prop.header) for prop in item.columns]
        self._expected = {name.lower() for name in self._names}
        self._expected |= {plain(name).lower() for name in item.ignored_columns}
        # By the keys of an object, which are mostly the same: the key of each column.
        self._key_of: dict[tuple[str, ...], list[str | None]] = {}
        self._found: set[str] = set()
        self.added: list[str] = []

    def values(self, row: dict[str, Any]) -> list[str | None]:
        """The value of each column of the contract in an object; null where a key is missing."""
        kind = tuple(row)
        keys = self._key_of.get(kind)
        if keys is None:
            keys = self._find(row)
            if len(self._key_of) < _MOST_KINDS and len(row) < _MOST_KEYS:
                self._key_of[kind] = keys
        return [None if key is None else as_text(row[key]) for key in keys]

    def _find(self, row: dict[str, Any]) -> list[str | None]:
        """The key of each column in an object.

        Case and white space around a key do not matter, unless two keys differ in nothing else.
        """
        exact = {plain(key): key for key in row}
        folded = {plain(key).lower(): key for key in row}
        is_exact = len(exact) == len(row) and all(name in exact for name in self._names)
        if not is_exact and len(folded) != len(row):
            raise _BadLineError(Reason.BAD_JSON, "two keys differ only in case or blanks")
        keys = [exact.get(name, folded.get(name.lower())) for name in self._names]
        found = [name for name, key in zip(self._names, keys, strict=True) if key is not None]
        if not found:
            raise _BadLineError(
                Reason.WRONG_FIELD_COUNT, "expected the keys of the contract; none of them is there"
            )
        self._found.update(found)
        if len(self.added) < _MOST_ADDED:
            used, columns = set(keys), {name.lower() for name in self._names}
            # A second spelling of a column's key is not read, so it is an added one.
            added = [
                plain(key)
                for key in row
                if key not in used and plain(key).lower() not in self._expected - columns
            ]
            self.added += [name for name in added if name not in self.added]
        return keys

    def require_all(self) -> None:
        """Refuse a file in which a column of the contract is in no object.

        Raises:
            FileError: one is missing, or renamed.
        """
        missing = [name for name in self._names if name not in self._found]
        if missing and self._found:
            problem = describe_missing(missing, self._names, self.added, is_line=False)
            raise FileError(
                Reason.HEADER_MISSING_COLUMN,
                f"{problem}; expected each key in at least one object, with null where it has no "
                "value",
            )


def read_json_lines(reader: LineReader, item: ContractObject, keys: Keys) -> Iterator[Block]:
    """The objects of a file, block by block."""
    names = [prop.name for prop in item.columns]
    schema = empty_rows(names).schema
    for first, lines in reader:
        rows: list[tuple[Any, ...]] = []
        rejected: list[tuple[Any, ...]] = []
        blank = 0
        for number, line in enumerate(lines, start=first):
            if not line.strip():
                blank += 1
                continue
            try:
                rows.append((number, number, *keys.values(_object(line))))
            except _BadLineError as error:
                rejected.append((number, number, error.reason.value, None, str(error)))
        yield Block(
            pl.DataFrame(rows, schema=schema, orient="row"),
            pl.DataFrame(rejected, schema=REJECTED, orient="row"),
            blank,
        )


def first_object(line: str) -> dict[str, Any] | None:
    """The object of a line, or None if it is not one."""
    try:
        return _object(line)
    except _BadLineError:
        return None


def _object(line: str) -> dict[str, Any]:
    if UNDECODABLE in line:
        raise _BadLineError(Reason.UNDECODABLE_BYTES, "bytes that are not text in UTF-8")
    if "\0" in line:
        raise _BadLineError(Reason.NUL_CHARACTER, "a NUL character")
    try:
        found = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        # Its message may quote the line.
        problem = f"the line is no JSON from its character {error.pos + 1}"
        raise _BadLineError(Reason.BAD_JSON, f"expected an object; {problem}") from None
    except RecursionError:
        raise _BadLineError(Reason.BAD_JSON, "the object is nested too deeply") from None
    if not isinstance(found, dict):
        raise _BadLineError(Reason.BAD_JSON, "expected an object; found another value")
    if "\\u" in line:
        _require_characters(found)
    return found


def _require_characters(row: dict[str, Any]) -> None:
    """Refuse what the line itself does not hold, but an escape can stand for."""
    for text in (text for pair in row.items() for text in pair if isinstance(text, str)):
        if "\0" in text:
            raise _BadLineError(Reason.NUL_CHARACTER, "a NUL character")
        if re.search("[\ud800-\udfff]", text):
            raise _BadLineError(Reason.UNDECODABLE_BYTES, "half of a character")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _BadLineError(Reason.BAD_JSON, "a key occurs twice")
    return found


def _refuse_number(_: str) -> None:
    raise _BadLineError(Reason.BAD_JSON, "expected a number; NaN and Infinity are none")


def _text_of_fraction(text: str) -> str:
    """A number as it is written, without decimal point if it is whole, as in a workbook."""
    return re.sub(r"\.0+$", "", text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_float=_text_of_fraction,
    parse_int=str,
    parse_constant=_refuse_number,
)


def as_text(value: Any) -> str | None:
    """A value of an object as text; a list or an object is unreadable."""
    if isinstance(value, str) or value is None:
        return value
    return _WORDS[value] if isinstance(value, bool) else UNREADABLE
