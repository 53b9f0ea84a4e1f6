"""Damaged files: no wrong row is accepted, every line is accounted for, nothing crashes.

`make test` reads hundreds of files, `make test-all` thousands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from outcomes.landing.reading import FileReading
from outcomes.landing.reasons import FileError

from .commands import run
from .one_file import contract_for, reading_of
from .pollution import (
    DELIMITERS,
    HARMLESS,
    IN_A_LINE,
    POLLUTIONS,
    Polluted,
    Row,
    declared,
    polluted,
    strict_rows,
)

# Damage that gives another valid row, so that no reader can notice it:
# - a change inside quotes, where every character is text: only the contract's types help;
QUOTED_SHAPES = ("quoted_people", "free_text")
# - quotes of another kind, which are ordinary characters;
OTHER_QUOTES = ("single_quotes", "curly_quotes")
# - a file that is cut off within its last field: only a trailer helps.

# Damage after which the next lines may belong to the damaged one.
OPENS_A_QUOTE = {"quote_before_line", "quote_after_space", "text_after_quote"}

TYPES = {
    "StudentID": {"logicalType": "string", "pattern": "[0-9]{5}", "required": True},
    "Birth Date": {"logicalType": "date", "format": "MM/dd/yyyy", "required": True},
    "GPA": {"logicalType": "number", "required": True},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for the files of all examples."""
    return tmp_path_factory.mktemp("polluted")


def is_unknowable(kind: str, file: Polluted, row: Row) -> bool:
    """Whether only the partner can say that this row is wrong."""
    is_last = file.data.decode("utf-8-sig", "replace").endswith(row[-1])
    return file.shape in QUOTED_SHAPES or kind in OTHER_QUOTES or (kind == "cut_off" and is_last)


def read(
    file: Polluted, folder: Path, types: Mapping[str, Mapping[str, Any]] = {}
) -> tuple[list[Row], FileReading, FileError | None]:
    """The rows of a file, by a contract of its headers; columns without a type are free text."""
    path = folder / "file.csv"
    path.write_bytes(file.data)
    columns = {name: types.get(name, {}) for name in file.header}
    layout = {"name": path.name, "delimiter": file.delimiter}
    reading = reading_of(contract_for(columns, layout), path)
    rows: list[Row] = []
    try:
        for block in reading.blocks():
            found = block.feeds["rows"].drop("line_number").rows()
            rows += [tuple(value or "" for value in row) for row in found]
    except FileError as fault:
        return [], reading, fault
    return rows, reading, None


def require_a_full_account(reading: FileReading, rows: list[Row]) -> None:
    """Check that every line is counted once, in the right count."""
    counts = reading.counts
    assert counts.lines == (
        counts.header_lines + counts.blank_lines + counts.lines_loaded
        + counts.lines_rejected + counts.trailer_lines
    )  # fmt: skip
    assert counts.rows_loaded == len(rows)


@pytest.mark.parametrize("kind", POLLUTIONS)
@given(data=st.data())
def test_no_pollution_gives_a_wrong_row(folder: Path, kind: str, data: st.DataObject) -> None:
    file = data.draw(polluted(POLLUTIONS[kind]))
    rows, reading, fault = read(file, folder)
    if fault is None:
        require_a_full_account(reading, rows)
    truth = set(file.truth)
    strange = [row for row in rows if row not in truth]
    if strange:
        valid = strict_rows(file.data.decode("utf-8-sig", "replace"), file.delimiter)
        assert [row for row in strange if row not in valid] == []
        assert all(is_unknowable(kind, file, row) for row in strange)
    assert len(rows) <= len(file.truth) * 2


@pytest.mark.parametrize("kind", sorted(IN_A_LINE.keys() - OPENS_A_QUOTE))
@given(data=st.data())
def test_undamaged_rows_load(folder: Path, kind: str, data: st.DataObject) -> None:
    file = data.draw(polluted(IN_A_LINE[kind], shapes=("people", "wide")))
    rows, _, fault = read(file, folder)
    assert fault is None
    # A line of one field may be the end of the previous row or the beginning of the next.
    assert len(set(file.truth) & set(rows)) >= len(file.truth) - 3


@pytest.mark.parametrize("kind", POLLUTIONS)
@given(data=st.data())
def test_with_types_only_free_text_and_last_digits_can_be_wrong(
    folder: Path, kind: str, data: st.DataObject
) -> None:
    file = data.draw(polluted(POLLUTIONS[kind], shapes=("people", "quoted_people")))
    rows, _, _ = read(file, folder, TYPES)
    meant = {(number, name, _us_date(day), gpa) for number, name, day, gpa in file.truth}
    found = {(number, name, str(day), gpa) for number, name, day, gpa in rows}
    columns = {n for row in found - meant for n in _differences(row, meant)}
    assert columns <= {1} or kind == "cut_off"


def _us_date(day: str) -> str:
    return f"{day[6:]}-{day[:2]}-{day[3:5]}"


def _differences(row: Row, meant: set[Row]) -> set[int]:
    """The fields in which a row differs from the most similar correct row."""
    return min(
        ({n for n, (a, b) in enumerate(zip(row, other, strict=True)) if a != b} for other in meant),
        key=len,
    )


@pytest.mark.parametrize(
    ("lines", "loaded"),
    [
        (["00001,a", "b", "00002,c"], ["00002"]),  # b is no start of an id, and may be of text
        (["00001,a", "2", "00002,c"], ["00002"]),  # 200002 has too many digits
        (["00001,a", "0", "0002,c"], []),
        (["00001,a", "00002,b", "0", "0003,c", "00004,d"], ["00001", "00004"]),
        (['00001,"a"', '"b"', "00002,c"], ["00002"]),
        (['00001,"a', 'b"', "c", "00002,d"], ["00002"]),
        (["00001,a", "", "00002,b"], ["00001", "00002"]),
        (["00001,a", "b,c,d", "00002,b"], ["00001", "00002"]),
    ],
)
@pytest.mark.parametrize("size", [1, 9, 1 << 20])
def test_a_row_next_to_a_line_of_one_field_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], loaded: list[str], size: int
) -> None:
    monkeypatch.setattr("outcomes.landing.text.BLOCK_BYTES", size)
    data = "\n".join(["StudentID,note", *lines]).encode()
    rows, reading, _ = read(Polluted(("StudentID", "note"), data), tmp_path, TYPES)
    assert [row[0] for row in rows] == loaded
    assert reading.counts.lines == 1 + len(lines)
    counts = reading.counts
    assert counts.lines_loaded + counts.lines_rejected + counts.blank_lines == len(lines)


def test_a_row_of_delimiters_is_rejected(tmp_path: Path) -> None:
    data = b'a,b\n,\n"",  \nx,\n'
    rows, reading, _ = read(Polluted(("a", "b"), data), tmp_path)
    assert rows == [("x", "")]
    assert reading.counts.rows_rejected == 2


def test_a_blank_after_every_delimiter_is_another_layout(tmp_path: Path) -> None:
    for data in (b"a, b\n1, 2\n", b'a, b\n1, "2"\n'):
        _, _, fault = read(Polluted(("a", "b"), data), tmp_path)
        assert fault
        assert fault.reason.value == "wrong_layout"


@pytest.mark.parametrize("delimiter", DELIMITERS)
@given(data=st.data())
def test_files_with_a_declared_delimiter_are_read_exactly(
    folder: Path, delimiter: str, data: st.DataObject
) -> None:
    require_the_letter(data.draw(declared(DELIMITERS[delimiter])), folder)


@pytest.mark.parametrize("kind", HARMLESS)
@given(data=st.data())
def test_clean_files_are_read_exactly(folder: Path, kind: str, data: st.DataObject) -> None:
    require_the_letter(data.draw(polluted(HARMLESS[kind])), folder)


def require_the_letter(file: Polluted, folder: Path) -> None:
    """Check that all rows are read exactly, except for the kind of line ends within values."""
    rows, reading, fault = read(file, folder)
    assert fault is None
    if "\n" in "".join(value for row in file.truth for value in row):
        assert len(rows) == len(file.truth)
    else:
        assert rows == file.truth
    assert reading.counts.rows_rejected == 0


def test_district_check_takes_a_contract_of_any_headers(tmp_path: Path) -> None:
    headers = ["Größe in cm", "a b", "line", "kind", "column", "naïve, quoted", "1", "[bold]"]
    contract = {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "any", "name": "any",
        "version": "1.0.0", "status": "active",
        "customProperties": [{"property": "partnerKind", "value": "project"}],
        "schema": [{
            "name": "file",
            "customProperties": [
                {"property": "file", "value": {"name": "f.csv", "format": "delimited"}},
                {"property": "snapshot", "value": "delta"},
            ],
            "properties": [
                {"name": name, "logicalType": "string", "classification": "none"}
                for name in headers
            ],
        }],
    }  # fmt: skip
    file = tmp_path / "any.odcs.yaml"
    file.write_text(yaml.safe_dump(contract, allow_unicode=True), "utf-8")
    quoted = ",".join(f'"{name}"' for name in headers)
    sent = tmp_path / "f.csv"
    sent.write_text(f"{quoted}\n{'x,' * 7}y\n{'x,' * 6}y\n", "utf-8")
    code, output = run("district", "check", file, sent)
    assert code == 3
    assert "f.csv: 3 lines, 1 rows would load, 1 would be rejected" in output
    assert "wrong_field_count, 1 times: expected 8 fields, found 7 (lines 3)" in output
    sent.write_text(quoted.replace("[bold]", "[bolt]") + "\n", "utf-8")
    assert "[bold] (renamed to [bolt]?)" in run("district", "check", file, sent)[1]
