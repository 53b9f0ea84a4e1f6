"""JSON Lines and Parquet, whose values have their names with them: one table of cases each."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from outcomes.landing import limits
from outcomes.landing.reading import FileReading
from outcomes.landing.reasons import FileError

from .one_file import contract_for, reading_of

Row = tuple[Any, ...]
# Rows, rejected lines by reason, values nulled, and whether there is a warning.
Read = tuple[list[Row], dict[str, list[int]], dict[str, list[int]], list[str]]

COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"pattern": "[0-9]{3}", "required": True, "padTo": 3},
    "name": {},
    "days": {"logicalType": "number"},
    "born": {"logicalType": "date", "format": "MM/dd/yyyy"},
    "seen": {"logicalType": "timestamp", "format": "yyyy-MM-dd'T'HH:mm:ss"},
    "active": {"logicalType": "boolean"},
}


def reading(folder: Path, kind: str, content: bytes, **more: Any) -> FileReading:
    """The reading of a file of six columns: id, name, days, born, seen and active."""
    columns = more.pop("columns", COLUMNS)
    path = folder / "rows"
    path.write_bytes(content)
    return reading_of(contract_for(columns, {"name": "rows", "format": kind}, **more), path)


def read(found: FileReading) -> Read:
    """What is read; every line of the file is accounted for.

    Raises:
        FileError: the file is quarantined.
    """
    rows: list[Row] = []
    rejected: dict[str, list[int]] = {}
    nulled: dict[str, list[int]] = {}
    for block in found.blocks():
        rows += block.feeds["rows"].drop("line_number").rows()
        for line, _, reason, *_ in block.rejected.iter_rows():
            rejected.setdefault(reason, []).append(line)
        for line, reason, *_ in block.issues.iter_rows():
            nulled.setdefault(reason, []).append(line)
    counts = found.counts
    assert counts.lines == (
        counts.header_lines + counts.blank_lines + counts.trailer_lines
        + counts.lines_loaded + counts.lines_rejected + counts.lines_filtered_out
    )  # fmt: skip
    return rows, rejected, nulled, found.warnings


def objects(*rows: dict[str, Any] | str) -> bytes:
    """Objects with every key, as JSON Lines; a text is a line as it is."""
    none = dict.fromkeys(COLUMNS)
    lines = [row if isinstance(row, str) else json.dumps(none | row) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")


ONE = {"id": "001"}
LOADED: Row = ("001", None, None, None, None, None)
VALUES: dict[str, tuple[str, Row]] = {
    "texts stay": ('"name": " Ann \\"x\\"\\t"', ("001", ' Ann "x"\t', None, None, None, None)),
    "an empty text is not null": ('"name": ""', ("001", "", None, None, None, None)),
    "an empty number is null": ('"days": ""', LOADED),
    "all digits stay": ('"days": 0.10', ("001", None, "0.10", None, None, None)),
    "a whole number has no point": ('"days": 3.0', ("001", None, "3", None, None, None)),
    "long numbers stay": ('"name": 12345678901234567890', (
        "001", "12345678901234567890", None, None, None, None)),
    "dates are as agreed": ('"born": "09/04/2012"', (
        "001", None, None, date(2012, 9, 4), None, None)),
    "times are as agreed": ('"seen": "2012-09-04T08:00:00"', (
        "001", None, None, None, datetime(2012, 9, 4, 8), None)),
    "true is true": ('"active": true', ("001", None, None, None, None, "true")),
    "false is false": ('"active": false', ("001", None, None, None, None, "false")),
    "letters can be escaped": ('"name": "Nu\\u00f1ez"', ("001", "Nuñez", None, None, None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_a_value_of_json_is_read_as_written(tmp_path: Path, case: str) -> None:
    member, expected = VALUES[case]
    first = json.dumps(dict.fromkeys(COLUMNS) | {"id": "000"})
    content = f'{first}\n{{"id": 1, {member}}}\n'.encode()
    rows, rejected, nulled, warnings = read(reading(tmp_path, "json_lines", content))
    assert rows[1:] == [expected], "and a leading zero is restored by padTo"
    assert (rejected, nulled, warnings) == ({}, {}, [])


# A line between two good ones, and what it is.
LINES: dict[str, tuple[str, str]] = {
    "NaN is no number": ('{"id": "002", "days": NaN}', "bad_json"),
    "nor is Infinity": ('{"id": "002", "days": -Infinity}', "bad_json"),
    "nor is a leading zero": ('{"id": 002}', "bad_json"),
    "a key twice": ('{"id": "002", "id": "003"}', "bad_json"),
    "a key twice, deep inside": ('{"id": "002", "x": {"a": 1, "a": 2}}', "bad_json"),
    "a key in two cases": ('{"ID": "002", "iD": "003"}', "bad_json"),
    "a key in two widths": ('{"id": "002", " id": "003"}', "bad_json"),
    "a torn object": ('{"id": "002", "name": "A', "bad_json"),
    "two objects": ('{"id": "002"} {"id": "003"}', "bad_json"),
    "a list": ('["002", "A"]', "bad_json"),
    "a number": ("2", "bad_json"),
    "a row of CSV": ("002,A,,,,", "bad_json"),
    "nested too deeply": ('{"id": "002", "x": ' + "[" * 200_000 + "]" * 200_000 + "}", "bad_json"),
    "a NUL": ('{"id": "002", "name": "A\0"}', "nul_character"),
    "an escaped NUL": ('{"id": "002", "name": "A\\u0000"}', "nul_character"),
    "half of a character": ('{"id": "002", "name": "\\ud83d"}', "undecodable_bytes"),
    "no text": ('{"id": "002", "name": "\ud800"}', "undecodable_bytes"),
    "other keys": ('{"number": "002"}', "wrong_field_count"),
    "no key": ("{}", "wrong_field_count"),
    "a list as id": ('{"id": ["002"]}', "unreadable_cell"),
    "true as id": ('{"id": true}', "bad_format"),
    "no id": ('{"id": null, "name": "A"}', "missing_value"),
    "an empty id": ('{"id": "", "name": "A"}', "missing_value"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_is_no_row_is_rejected(tmp_path: Path, case: str) -> None:
    line, reason = LINES[case]
    content = objects(ONE, line, ONE)
    rows, rejected, _, _ = read(reading(tmp_path, "json_lines", content))
    assert (rows, rejected) == ([LOADED, LOADED], {reason: [2]})


def test_a_value_that_is_none_is_nulled_where_it_is_optional(tmp_path: Path) -> None:
    content = objects(
        ONE | {"name": {"first": "A"}}, ONE | {"days": 1e5}, ONE | {"born": 20120904},
        ONE | {"active": 1}, ONE | {"seen": "2012-09-04"}, ONE | {"days": "1.0E2"},
    )  # fmt: skip
    rows, rejected, nulled, _ = read(reading(tmp_path, "json_lines", content))
    assert rows[1] == ("001", None, "100000", None, None, None), "Python writes 1e5 as 100000.0"
    assert (len(rows), rejected) == (6, {})
    assert nulled == {
        "unreadable_cell": [1], "bad_date": [3], "bad_boolean": [4], "bad_timestamp": [5],
        "bad_number": [6],
    }  # fmt: skip


def test_blank_lines_marks_and_line_ends_are_no_rows(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + objects(ONE, "", " \t", ONE).replace(b"\n", b"\r\n")
    found = reading(tmp_path, "json_lines", content.removesuffix(b"\r\n"))
    assert read(found)[0] == [LOADED, LOADED]
    assert (found.counts.lines, found.counts.blank_lines) == (4, 2)
    empty = reading(tmp_path, "json_lines", b"\n")
    assert read(empty)[0] == [], "an export without a row"


def test_keys_outside_the_contract_are_kept_out_and_named(tmp_path: Path) -> None:
    content = objects(ONE | {"Nurse": "x", "pin": {"deep": 1}}, ONE | {"x\ny": 1}, '{"Ada": 1}')
    found = reading(tmp_path, "json_lines", content, ignoredColumns=["PIN"])
    rows, _, _, warnings = read(found)
    assert rows == [LOADED, LOADED]
    assert warnings == [r"columns added and kept out: Nurse, x\ny"], "not those of other objects"


def test_a_second_spelling_of_a_key_is_an_added_one(tmp_path: Path) -> None:
    first = next(iter(ONE))
    rows, _, _, warnings = read(
        reading(tmp_path, "json_lines", objects(ONE | {first.upper(): "other"}))
    )
    assert rows == [LOADED]
    assert warnings == [f"columns added and kept out: {first.upper()}"]


# A whole file that is refused: its content, the reason, and a part of the detail.
FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty_file"),
    "a list of objects": (b'[{"id": "001"},\n{"id": "002"}]\n', "wrong_layout.*one object a line"),
    "one document": (b'{\n"id": "001"\n}\n', "wrong_layout.*one object a line"),
    "another encoding": (objects(ONE).decode().encode("utf-16"), "wrong_encoding"),
    "packed": (b"\x1f\x8b\x08\0", "wrong_layout.*packed with gzip"),
    "cut off": (objects(ONE, ONE) + b'{"id": "0', "trailer_missing.*line 3"),
    "a key that no object has": (b'{"id": "001", "name": "A"}\n', "header_missing_column.*days"),
    "a key with another name": (
        objects(ONE).replace(b"born", b"born_on"),
        r"header_missing_column.*born \(renamed to born_on\?\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_file_without_its_objects_is_quarantined(tmp_path: Path, case: str) -> None:
    content, problem = FILES[case]
    with pytest.raises(FileError, match=problem):
        read(reading(tmp_path, "json_lines", content))


def table(**columns: Any) -> bytes:
    """A Parquet file with every column, of two rows unless it says otherwise."""
    usual = {"id": ["001", "002"]}
    buffer = io.BytesIO()
    frame = pl.DataFrame(usual | columns)
    missing = [pl.lit(None, dtype=pl.String).alias(c) for c in COLUMNS if c not in frame.columns]
    frame.with_columns(missing).write_parquet(buffer, compression="uncompressed")
    return buffer.getvalue()


def series(kind: Any, *values: Any) -> pl.Series:
    return pl.Series(values, dtype=kind, strict=False)


NOON = datetime(2012, 9, 4, 12, 30, 0, 250_000)
MIDNIGHT = datetime(2012, 9, 4)
DAY = MIDNIGHT.date()
# A column, its two values, and how they are read; None is an issue.
TYPES: dict[str, tuple[str, pl.Series, list[Any]]] = {
    "texts": ("name", series(pl.String, " é ", ""), [" é ", ""]),
    "categories": ("name", series(pl.Categorical, "a", None), ["a", None]),
    "a list of codes": ("name", series(pl.Enum(["a", "b"]), "a", "b"), ["a", "b"]),
    "nothing": ("name", series(pl.Null, None, None), [None, None]),
    "whole numbers": ("days", series(pl.UInt64, 3, None), ["3", None]),
    "large whole numbers": ("name", series(pl.UInt64, 2**64 - 1, 0), ["18446744073709551615", "0"]),
    "fractions": ("days", series(pl.Float64, 3.0, 0.25), ["3", "0.25"]),
    "short fractions": ("days", series(pl.Float32, 0.1, -0.0), ["0.1", "0"]),
    "no numbers": ("days", series(pl.Float64, float("nan"), float("inf")), [None, None]),
    "numbers that lost digits": ("name", series(pl.Float64, 1e15, 1e14), [None, "100000000000000"]),
    "short numbers that lost digits": ("name", series(pl.Float32, 2**24, 1), [None, "1"]),
    "decimals": ("days", series(pl.Decimal(12, 2), Decimal("1.50"), Decimal(3)), ["1.50", "3"]),
    "dates": ("born", series(pl.Date, DAY, None), [DAY, None]),
    "texts of dates": ("born", series(pl.String, "09/04/2012", "9/4/2012"), [DAY, None]),
    "dates with a time": ("born", series(pl.Datetime("us"), MIDNIGHT, NOON), [DAY, None]),
    "times": ("seen", series(pl.Datetime("ns"), MIDNIGHT, NOON), [MIDNIGHT, NOON]),
    "true and false": ("active", series(pl.Boolean, True, None), ["true", None]),
    "numbers for true": ("active", series(pl.Int8, 1, None), [None, None]),
}  # fmt: skip


@pytest.mark.parametrize("case", TYPES)
def test_a_typed_value_is_read_as_a_person_would_write_it(tmp_path: Path, case: str) -> None:
    column, values, expected = TYPES[case]
    found = reading(tmp_path, "parquet", table(**{column: values}))
    rows, rejected, nulled, warnings = read(found)
    place = list(COLUMNS).index(column)
    assert [row[place] for row in rows] == expected
    assert (rejected, warnings) == ({}, [])
    wanted = [n for n, value in enumerate(values, 1) if value is not None]
    lost = [n for n in wanted if expected[n - 1] is None]
    assert sorted(line for lines in nulled.values() for line in lines) == lost


def test_a_number_restores_its_zeros_only_where_the_contract_pads(tmp_path: Path) -> None:
    content = table(id=series(pl.Int32, 1, 2), name=series(pl.Int32, 1, 2))
    assert [row[:2] for row in read(reading(tmp_path, "parquet", content))[0]] == [
        ("001", "1"), ("002", "2"),
    ]  # fmt: skip


def test_rows_of_parquet_are_numbered_from_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outcomes.landing.parquet._ROWS_AT_ONCE", 2)
    ids = ["001", None, "x", "004", "005\0"]
    found = reading(tmp_path, "parquet", table(id=ids, name=["", *"abcd"]))
    rows, rejected, _, _ = read(found)
    assert [row[0] for row in rows] == ["001", "004"]
    assert rejected == {"missing_value": [2], "bad_format": [3], "nul_character": [5]}
    assert (found.counts.lines, found.counts.blank_lines) == (5, 0)
    assert read(reading(tmp_path, "parquet", table(id=series(pl.String))))[0] == [], "no rows"


def test_columns_of_parquet_are_found_by_name(tmp_path: Path) -> None:
    content = table(Nurse=["x", "y"], PIN=[[1], [2]], ID=["003", "004"])
    columns = COLUMNS | {"ID": COLUMNS["id"]}
    found = reading(tmp_path, "parquet", content, columns=columns, ignoredColumns=["pin"])
    rows, _, _, warnings = read(found)
    assert [(row[0], row[-1]) for row in rows] == [("001", "003"), ("002", "004")]
    assert warnings == ["columns added and kept out: Nurse"]


def twice() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table([["001"], ["002"]], names=["id", "id"]), buffer)
    return buffer.getvalue()


def page() -> bytes:
    """A page of 64 MB that is packed into some kilobytes."""
    buffer = io.BytesIO()
    names = pa.array(["x" * 64_000] * 1_000)
    pq.write_table(
        pa.table({"id": ["001"] * 1_000, "name": names}), buffer,
        compression="zstd", use_dictionary=False, data_page_size=1 << 30,
    )  # fmt: skip
    return buffer.getvalue()


def shared() -> bytes:
    """A text of 100 kB that ten thousand rows share."""
    buffer = io.BytesIO()
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), ["x" * 100_000])
    others = {name: pa.nulls(10_000) for name in COLUMNS}
    pq.write_table(pa.table(others | {"id": ["001"] * 10_000, "name": names}), buffer)
    return buffer.getvalue()


PARQUET_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty_file"),
    "a text": (lambda: b"id,name\n001,A\n", "unreadable_parquet"),
    "cut off": (lambda: table()[:-20], "unreadable_parquet"),
    "damaged": (lambda: table().replace(b"\x15", b"\xff"), "unreadable_parquet"),
    "no text": (
        lambda: table(name=["A" * 40, "B" * 40]).replace(b"A" * 9, b"\xff" * 9),
        "unreadable_parquet",
    ),
    "a renamed column": (lambda: table(nam=["A", "B"]).replace(b"name", b"mane"), "missing.*name"),
    "a column twice": (twice, "header_duplicate_column"),
    "a column of lists": (lambda: table(days=[[1], [2]]), "wrong_layout.*days.*List"),
    "a column of records": (lambda: table(name=[{"Ada": 1}, {}]), "wrong_layout.*Struct"),
    "a column of bytes": (lambda: table(name=[b"A", b"B"]), "wrong_layout.*Binary"),
    "a column of times of day": (lambda: table(days=[time(8), time(9)]), "wrong_layout.*Time"),
    "times in a zone": (
        lambda: table(seen=series(pl.Datetime("us", "UTC"), NOON, NOON)),
        "wrong_layout.*times in a zone",
    ),
    "a large page": (page, "archive_too_large"),
    "a text of many rows": (shared, "archive_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("case", PARQUET_FILES)
def test_a_parquet_file_that_is_not_as_agreed_is_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr(limits, "ALWAYS_ALLOWED_BYTES", 8 << 20)
    build, problem = PARQUET_FILES[case]
    with pytest.raises(FileError, match=problem) as error:
        read(reading(tmp_path, "parquet", build()))
    assert "Ada" not in str(error.value)


@pytest.mark.parametrize(
    ("layout", "column", "problem"),
    [
        ({"format": "json_lines", "headerRow": 2}, {}, "`headerRow` is not for"),
        ({"format": "json_lines", "trailer": {"pattern": "(?P<rows>1)"}}, {}, "`trailer`"),
        ({"format": "json_lines", "encoding": "cp1252"}, {}, "always utf-8"),
        ({"format": "parquet", "delimiter": ";"}, {}, "`delimiter` is not for"),
        ({"format": "parquet", "compression": "gzip"}, {}, "compressed itself"),
        ({"format": "parquet"}, {"position": 2}, "`position` is not for"),
        ({"format": "parquet"}, {"fillDown": True}, "only a workbook"),
    ],
)
def test_a_layout_says_only_what_its_format_has(
    layout: dict[str, Any], column: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        contract_for({"id": column}, {"name": "rows", **layout})
